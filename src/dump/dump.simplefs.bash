# SPDX-License-Identifier: GPL-2.0-only
# Completes dump.simplefs in bash: options are read from its --help.
# shellcheck shell=bash disable=SC2154,SC2207
_dump_simplefs()
{
    local cur prev words cword
    _init_completion || return
    case $prev in
    -g | --group | -i | --inode | -t | --tree | -d | --directory | -o | --output | -b | --block | \
        -w | --who | -P | --path)
        return
        ;;
    -S | --save)
        _filedir -d
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur"))
    else
        _filedir
    fi
} && complete -F _dump_simplefs dump.simplefs
