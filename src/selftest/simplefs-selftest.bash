# SPDX-License-Identifier: GPL-2.0-only
# bash completion of simplefs-selftest
# shellcheck shell=bash
_simplefs_selftest()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

    COMPREPLY=()
    case $prev in
    -m | --module) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -X '!*.ko' -- "$cur"; compgen -d -- "$cur") ;;
    -d | --state) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    -k | --kernel)
        mapfile -t COMPREPLY < <(compgen -W "$(find /var/lib/simplefs/selftest -name '*.verdict' \
            -printf '%f\n' 2>/dev/null | sed 's/\.verdict$//')" -- "$cur") ;;
    -t | --seconds) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W '--show --run --json --module --state --seconds
            --kernel --verbose --version --help' -- "$cur") ;;
    esac
}
complete -F _simplefs_selftest simplefs-selftest
