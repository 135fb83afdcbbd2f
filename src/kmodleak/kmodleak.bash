# SPDX-License-Identifier: GPL-2.0-only
# Completes kmodleak in bash: options are read from its --help, modules from the running kernel's.
# shellcheck shell=bash disable=SC2154,SC2207
_kmodleak()
{
    local cur prev words cword i
    _init_completion || return
    for ((i = 1; i < cword; i++)); do
        if [[ ${words[i]} == -- ]]; then
            _command_offset $((i + 1))
            return
        fi
    done
    case $prev in
    -l | --load | --ko | --suppressions)
        _filedir
        return
        ;;
    -c | --cycles | -m | --max-seconds | --settle | --objects | --stacks | --ready-fd)
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur"))
    else
        _modules
    fi
} && complete -F _kmodleak kmodleak
