# SPDX-License-Identifier: GPL-2.0-only
# Completes resize.simplefs in bash: options are read from its --help.
# shellcheck shell=bash disable=SC2154,SC2207
_resize_simplefs()
{
    local cur prev words cword
    _init_completion || return
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '$(_parse_help "$1")' -- "$cur"))
    else
        _filedir
    fi
} && complete -F _resize_simplefs resize.simplefs
