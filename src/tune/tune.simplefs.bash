# SPDX-License-Identifier: GPL-2.0-only
# Completes tune.simplefs in bash: options are read from its --help.
# shellcheck shell=bash disable=SC2154,SC2207
_tune_simplefs()
{
    local cur prev words cword
    _init_completion || return
    case $prev in
    -e | --errors)
        COMPREPLY=($(compgen -W 'continue remount-ro panic' -- "$cur"))
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
} && complete -F _tune_simplefs tune.simplefs
