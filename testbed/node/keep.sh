# Sourced by init.sh: keeps the programs of the node running.
# shellcheck shell=bash disable=SC2154

# keep name command...: starts the command again a second after it ended; its pid is in run/<name>.pid.
keep() {
    local program=$1
    shift
    (
        while :; do
            "$@" >>"$state/log/$program.log" 2>&1 &
            echo $! >"$state/run/$program.pid"
            wait $! || true
            echo "$(date +%T) $program ended, starting it again" >>"$state/log/init.log"
            sleep 1
        done
    ) &
    kept+=($!)
}

# until_works what command...: waits at most a minute.
until_works() {
    local what=$1 tries=300
    shift
    until "$@" >/dev/null 2>&1; do
        ((tries -= 1)) || fail "$what did not come up, see $state/log"
        sleep 0.2
    done
}
