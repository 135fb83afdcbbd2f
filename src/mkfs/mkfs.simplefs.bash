# SPDX-License-Identifier: GPL-2.0-only
# Completes mkfs.simplefs in bash: options are read from its --help.
# shellcheck shell=bash disable=SC2154,SC2207
_mkfs_simplefs()
{
    local cur prev words cword
    _init_completion -n = || return
    case $prev in
    -J | --journal)
        case $cur in
        device=*)
            cur=${cur#device=}
            _filedir
            ;;
        *)
            COMPREPLY=($(compgen -W 'size= device= none uuid=' -- "$cur"))
            [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
            ;;
        esac
        return
        ;;
    -s | --stripe)
        COMPREPLY=($(compgen -W 'unit= width= none' -- "$cur"))
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
        return
        ;;
    -d | --fill)
        _filedir
        return
        ;;
    -b | --block-size)
        COMPREPLY=(4096)
        return
        ;;
    -L | --label | -U | --uuid)
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur"))
    else
        _filedir
    fi
} && complete -F _mkfs_simplefs mkfs.simplefs
