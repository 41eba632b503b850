#!/usr/bin/env bash
# The receiver in a container: HAProxy on the ports, nginx behind it on unix sockets, the application behind nginx. Set by the
# environment; docs/container.md has the table.
#
#   receiver start                                 what the container runs, below an init that reaps and passes signals on
#   receiver front                                 HAProxy alone, where nginx is somebody else's and makes the sockets (beanstalk/)
#   receiver mode [plain|both|proxy [--quiet S]]   say the mode, or take one; proxy, with --quiet, when no connection without a PROXY
#                                                  line has come for S seconds
#   receiver measure                               connections by port, peer and kind, as the Command document's Measure says them
#   receiver health                                exit status 0 while connections are taken
#
# The last line that mode and measure print is one JSON object.
set -Eeuo pipefail
trap 'printf "proxyflip: ERR_INTERNAL: line %s: %s ended with status %s; please report it\n" "$LINENO" "$BASH_COMMAND" "$?" >&2' ERR

readonly SOURCES=${PROXYFLIP_SOURCES:-/usr/share/proxyflip}
readonly RUN=/run/proxyflip
# Where the mode outlives a start: the wish of RECEIVER_MODE, and what was taken since.
readonly STATE=${PROXYFLIP_STATE:-$RUN}
readonly NGINX=$RUN/nginx
# Not in $RUN, which may be kept: what was ready before the container was killed is not ready now.
readonly HEALTH=${PROXYFLIP_HEALTH:-/tmp/proxyflip-health}
readonly READY=$HEALTH/ready
# How often the destination's name is looked up again. Unit: seconds.
readonly LOOK_UP_SECONDS=5
# How long a name that nobody knows yet is waited for at the start: compose starts both at once. Unit: seconds.
readonly DESTINATION_LIMIT_SECONDS=60
# How long --quiet waits for the quiet at most. Unit: seconds.
readonly QUIET_LIMIT_SECONDS=3600

# Standard output is for the access log, and for answers.
say() { printf 'proxyflip: %s\n' "$*" >&2; }

fail() {
  printf 'proxyflip: %s: %s\n' "$1" "$2" >&2
  exit 1
}

# ---------------------------------------------------------------------------------------------------------------------
# Settings

readonly PORT='[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]'
readonly OCTET='(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
readonly CIDR="$OCTET(\.$OCTET){3}/(3[0-2]|[12]?[0-9])"

# Each value is looked at before anything is made of it: it ends in the configuration of two servers.
read_settings() {
  setting LISTEN_ON 81 "($PORT)?" 'a port from 1 to 65535, or nothing for no redirect to https'
  setting LISTEN_ON_TLS 444 "$PORT" 'a port from 1 to 65535'
  setting HEALTH_PORT 8078 "$PORT" 'a port from 1024 to 65535'
  setting DESTINATION_HOSTNAME '' '[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?' "the application's host name or IPv4 address"
  setting DESTINATION_PORT '' "$PORT" 'a port from 1 to 65535'
  setting DESTINATION_WEBSOCKET_PORT "$DESTINATION_PORT" "$PORT" 'a port from 1 to 65535'
  setting RECEIVER_MODE plain 'plain|both|proxy' 'plain, both or proxy'
  setting TRUSTED_CIDRS '' "($CIDR( $CIDR)*)?" 'IPv4 ranges with a space between them, such as 10.0.101.0/24 10.0.102.0/24'
  setting WS_IDLE_SECONDS 4060 '[1-9][0-9]{0,3}' 'seconds, from 1 to 4060'

  [ "$HEALTH_PORT" -ge 1024 ] || refuse HEALTH_PORT 'a port from 1024 to 65535'
  [ "$WS_IDLE_SECONDS" -le 4060 ] || refuse WS_IDLE_SECONDS 'seconds, from 1 to 4060'
  case $LISTEN_ON_TLS in "$LISTEN_ON" | "$HEALTH_PORT") refuse LISTEN_ON_TLS 'another port than LISTEN_ON and HEALTH_PORT' ;; esac
  case $LISTEN_ON in "$HEALTH_PORT") refuse LISTEN_ON 'another port than HEALTH_PORT' ;; esac
  trust_is_named "$RECEIVER_MODE"
  PORTS=(${LISTEN_ON:+"$LISTEN_ON"} "$LISTEN_ON_TLS")
}

setting() { # name, default, pattern, what it takes
  local value=${!1-$2}
  printf -v "$1" %s "$value"
  [[ $value =~ ^($3)$ ]] || refuse "$1" "$4"
}

refuse() { fail ERR_SETTING "$1 has the value '${!1}'; it takes $2"; }

# Without a trusted range no line would be believed, and every client would look like the load balancer.
trust_is_named() { # mode
  if [ "$1" = proxy ] && [ -z "$TRUSTED_CIDRS" ]; then
    fail ERR_SETTING "TRUSTED_CIDRS has the value '', and in mode proxy somebody has to be believed; it takes the load balancer's subnets, such as 10.0.101.0/24 10.0.102.0/24"
  fi
}

# ---------------------------------------------------------------------------------------------------------------------
# What the container is given

look_at_container() {
  local directory port
  for directory in $RUN /tmp; do
    [ -w "$directory" ] || fail ERR_READ_ONLY "$directory cannot be written by user $(id -u); mount a volume or a tmpfs there"
  done
  for port in "${PORTS[@]}"; do
    if [ "$port" -lt "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" ] && ! may_bind_low_ports; then
      fail ERR_LOW_PORT "port $port may not be listened on; add the capability NET_BIND_SERVICE and leave no-new-privileges off, or set net.ipv4.ip_unprivileged_port_start, or take a port from 1024"
    fi
  done
}

# HAProxy's file has the capability; it is lost where the bounding set lacks it (and then the file cannot even be run), and to
# no_new_privs. Source: capabilities(7).
may_bind_low_ports() {
  if [ "$(id -u)" = 0 ]; then return 0; fi
  local bounding no_new_privileges
  bounding=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
  no_new_privileges=$(awk '$1 == "NoNewPrivs:" { print $2 }' /proc/self/status)
  [ $((16#$bounding >> 10 & 1)) = 1 ] && [ "$no_new_privileges" = 0 ]
}

# ---------------------------------------------------------------------------------------------------------------------
# Files

write_nginx_files() {
  rm -rf $NGINX
  # nginx that was killed leaves its sockets where /run/proxyflip is kept, and then cannot start.
  rm -f $RUN/*.sock $RUN/nginx.pid
  mkdir -p $NGINX/proxyflip/{vhosts,snippets,listen}
  cp "$SOURCES"/container/nginx.conf "$SOURCES"/nginx/proxyflip.conf $NGINX/
  cp "$SOURCES"/nginx/snippets/port.conf $NGINX/proxyflip/snippets/
  sed -E "s/^(proxy_(read|send)_timeout) .*/\1 ${WS_IDLE_SECONDS}s;/" "$SOURCES"/nginx/snippets/application.conf >$NGINX/proxyflip/snippets/application.conf
  sed "s/@HEALTH_PORT@/$HEALTH_PORT/" "$SOURCES"/nginx/vhosts/health.conf >$NGINX/proxyflip/vhosts/health.conf
  if [ -n "$LISTEN_ON" ]; then virtual_host http "$LISTEN_ON"; fi
  virtual_host https "$LISTEN_ON_TLS"
  # No Application Load Balancer beside the Classic one here.
  : >$NGINX/proxyflip/alb.conf
  upstreams >$NGINX/proxyflip/upstreams.conf
}

write_front_files() {
  printf 'mode %s\n' "$MODE" >$RUN/mode.map
  # No address is in an empty list; HAProxy wants a file all the same.
  printf '%s\n' "${TRUSTED_CIDRS// /$'\n'}" >$RUN/trusted.list
  haproxy_configuration >$RUN/haproxy.cfg
}

virtual_host() { # http|https, port
  local kind
  sed "s/@PORT@/$2/g" "$SOURCES/nginx/vhosts/$1.conf" >"$NGINX/proxyflip/vhosts/$2.conf"
  for kind in plain claimed believed; do
    echo "listen unix:$RUN/$2-$kind.sock default_server proxy_protocol;"
  done >"$NGINX/proxyflip/listen/$2.conf"
  # What HAProxy says of a connection is believed; nobody else reaches these sockets.
  echo 'real_ip_header proxy_protocol;
set_real_ip_from unix:;' >>"$NGINX/proxyflip/listen/$2.conf"
}

# The shared file, with the addresses that the destination's name has now, in the places of those on the instance.
upstreams() {
  sed -e "s/^ *server 127.0.0.1:8000;/$(servers "$DESTINATION_PORT")/" -e "s/^ *server 127.0.0.1:9000;/$(servers "$DESTINATION_WEBSOCKET_PORT")/" "$SOURCES"/nginx/upstreams.conf
}

servers() { # port → a line for sed
  local address lines=''
  for address in $ADDRESSES; do lines+="    server $address:$1;\\n"; done
  printf '%s' "${lines%\\n}"
}

haproxy_configuration() {
  local port binds=''
  for port in "${PORTS[@]}"; do
    binds+="    bind 0.0.0.0:$port\\n"
    if [ -s /proc/net/if_inet6 ]; then binds+="    bind :::$port v6only\\n"; fi
  done
  # Who is not root is the right user already, and could not be another.
  if [ "$(id -u)" = 0 ]; then cat "$SOURCES"/nginx/haproxy/haproxy.cfg; else sed -E '/^ +(user|group) haproxy$/d' "$SOURCES"/nginx/haproxy/haproxy.cfg; fi
  sed -e "s/^@BINDS@/${binds%\\n}/" "$SOURCES"/container/haproxy.cfg
  cat "$SOURCES"/nginx/haproxy/kinds.cfg "$SOURCES"/container/choose.cfg
  for port in "${PORTS[@]}"; do sed "s/@PORT@/$port/g" "$SOURCES"/nginx/haproxy/port.cfg "$SOURCES"/container/port.cfg; done
}

# ---------------------------------------------------------------------------------------------------------------------
# The destination: nginx looks a name up once, and a container that was made anew has another address

look_up() { timeout 5 getent --no-addrconfig ahostsv4 "$DESTINATION_HOSTNAME" | awk '{ print $1 }' | LC_ALL=C sort -u | paste -sd' ' || true; }

await_destination() {
  local limit=$((SECONDS + DESTINATION_LIMIT_SECONDS))
  ADDRESSES=$(look_up)
  [ -n "$ADDRESSES" ] || say "waiting for the name $DESTINATION_HOSTNAME"
  while [ -z "$ADDRESSES" ]; do
    [ $SECONDS -lt $limit ] ||
      fail ERR_DESTINATION "DESTINATION_HOSTNAME has the value '$DESTINATION_HOSTNAME', which has had no IPv4 address for $DESTINATION_LIMIT_SECONDS s; name a host that this container can look up"
    sleep 1
    ADDRESSES=$(look_up)
  done
}

# A name that has gone keeps its last addresses: the resolver may be away, and nobody else is known.
follow_destination() {
  local now
  while sleep $LOOK_UP_SECONDS; do
    now=$(look_up)
    if [ -z "$now" ] || [ "$now" = "$ADDRESSES" ]; then continue; fi
    say "$DESTINATION_HOSTNAME was $ADDRESSES and is $now now"
    ADDRESSES=$now
    upstreams >$NGINX/proxyflip/upstreams.conf
    kill -HUP "$NGINX_PID"
  done
}

# ---------------------------------------------------------------------------------------------------------------------
# Start and stop

start() {
  NGINX_PID='' HAPROXY_PID=''
  prepare
  await_destination
  write_nginx_files
  trap stop TERM INT QUIT
  nginx -e stderr -c $NGINX/nginx.conf -g 'daemon off;' &
  NGINX_PID=$!
  # Its sockets are there before it has all its ports; the file comes behind both.
  await nginx "$NGINX_PID" $RUN/nginx.pid
  start_haproxy
  follow_destination &
  say "ready in mode $MODE, in front of $DESTINATION_HOSTNAME ($ADDRESSES)"

  # Neither serves without the other, and what restarts them is what restarts containers.
  local ended status=0
  wait -n -p ended "$NGINX_PID" "$HAPROXY_PID" || status=$?
  case ${ended:-} in
    "$NGINX_PID") fail ERR_DAEMON "nginx has ended with status $status; what it said stands above" ;;
    *) fail ERR_DAEMON "HAProxy has ended with status $status; what it said stands above" ;;
  esac
}

front() {
  NGINX_PID='' HAPROXY_PID=''
  prepare
  trap stop TERM INT QUIT
  start_haproxy
  say "ready in mode $MODE"
  local status=0
  wait "$HAPROXY_PID" || status=$?
  fail ERR_DAEMON "HAProxy has ended with status $status; what it said stands above"
}

prepare() {
  rm -f "$READY"
  read_settings
  look_at_container
  mkdir -p "$HEALTH"
  # As many connections as may be; the soft limit is often 1,024.
  ulimit -n "$(ulimit -Hn)"
  remember_mode
}

start_haproxy() {
  write_front_files
  # One that was killed leaves its socket where $RUN is kept.
  rm -f $RUN/haproxy.sock
  haproxy -db -f $RUN/haproxy.cfg &
  HAPROXY_PID=$!
  await HAProxy "$HAPROXY_PID" $RUN/haproxy.sock
  touch "$READY"
}

await() { # program, its process, the file that it makes when it takes connections
  local limit=$((SECONDS + 10))
  until [ -e "$3" ]; do
    kill -0 "$2" 2>/dev/null || fail ERR_DAEMON "$1 does not start; what it said stands above"
    [ $SECONDS -lt $limit ] || fail ERR_DAEMON "$1 has not made $3 after 10 s; what it said stands above"
    sleep 0.05
  done
}

# No new connection; requests under way are answered, idle connections closed. An open WebSocket ends when its sides say so, or
# when the runtime's patience ends.
stop() {
  trap '' TERM INT QUIT
  rm -f "$READY"
  say 'stopping: nothing new is taken, what is under way is finished'
  if [ -n "$HAPROXY_PID" ]; then
    kill -USR1 "$HAPROXY_PID" || true
    # What HAProxy has taken reaches nginx before nginx takes no more.
    sleep 1
  fi
  if [ -n "$NGINX_PID" ]; then kill -QUIT "$NGINX_PID" || true; fi
  # HAProxy goes with nginx: what it still has are clients that never said a word. Without an nginx of its own it is what is drained.
  wait "${NGINX_PID:-$HAPROXY_PID}" || true
  exit 0
}

# ---------------------------------------------------------------------------------------------------------------------
# The mode

# Started again in the middle of a switch, it goes on where it was, if $STATE was kept; a new value of RECEIVER_MODE is a new wish.
remember_mode() {
  local declared='' kept=''
  if [ -r "$STATE/mode" ]; then read -r declared kept <"$STATE/mode"; fi
  MODE=$RECEIVER_MODE
  if [ "$declared" = "$RECEIVER_MODE" ] && [ "$kept" != "$RECEIVER_MODE" ]; then
    case $kept in
      plain | both | proxy)
        MODE=$kept
        say "the mode is $MODE, as it was before this was started again"
        ;;
    esac
  fi
  trust_is_named "$MODE"
  keep_mode
}

keep_mode() {
  mkdir -p "$STATE"
  printf '%s %s\n' "$RECEIVER_MODE" "$MODE" >"$STATE/mode.new"
  mv "$STATE/mode.new" "$STATE/mode"
}

is_ready() { [ -e "$READY" ] || fail ERR_NOT_READY 'no connections are taken yet, or none any more; what the container has said says why'; }

current_mode() { awk '{ print $2 }' $RUN/mode.map; }

mode() { # nothing, or a mode and --quiet SECONDS
  local before
  is_ready
  before=$(current_mode)
  [ $# -gt 0 ] || { report "$before" "$before"; return; }
  MODE=$1
  case $MODE in plain | both | proxy) ;; *) fail ERR_INVALID_PARAMETER "mode has the value '$MODE'; it takes plain, both or proxy" ;; esac
  read_settings
  trust_is_named "$MODE"
  case "$MODE ${2:-}" in
    'proxy --quiet')
      [[ ${3:-} =~ ^[1-9][0-9]{0,3}$ ]] || fail ERR_INVALID_PARAMETER "--quiet has the value '${3:-}'; it takes seconds, from 1 to 9999"
      await_quiet "$3"
      ;;
    *' ') ;;
    *) fail ERR_INVALID_PARAMETER "mode $MODE has the option '$2'; only proxy has one, --quiet SECONDS" ;;
  esac

  haproxy_cli "set map $RUN/mode.map mode $MODE" >/dev/null
  [[ $(haproxy_cli "get map $RUN/mode.map mode") == *"\"$MODE\""* ]] || fail ERR_INTERNAL 'HAProxy has not taken the mode; please report it'
  printf 'mode %s\n' "$MODE" >$RUN/mode.map.new
  mv $RUN/mode.map.new $RUN/mode.map
  keep_mode
  report "$MODE" "$before"
}

# Whoever still comes without a line would be cut off: a node that has not followed yet, a monitor, a neighbour. There is no such
# wait for plain: any client can begin with a PROXY line of its own, so that lines still come proves nothing.
await_quiet() { # seconds
  local youngest limit=$((SECONDS + QUIET_LIMIT_SECONDS)) began=$SECONDS
  while :; do
    youngest=$(seen | grep -m1 '"plain"' || true)
    if [ $((SECONDS - began)) -ge "$1" ] && is_older "${youngest%% *}" "$1"; then return 0; fi
    [ $SECONDS -lt $limit ] || fail ERR_NOT_QUIET "connections without a PROXY line still come, the last as ${youngest#* }; the mode stays $(current_mode)"
    sleep 1
  done
}

is_older() { # seconds, or nothing where there was no connection; seconds
  [ -z "$1" ] || awk -v age="$1" -v quiet="$2" 'BEGIN { exit age < quiet }'
}

measure() {
  local uptime
  is_ready
  uptime=$(haproxy_cli 'show info' | awk -F': ' '$1 == "Uptime_sec" { print $2 }')
  printf '{"mode":"%s","uptime":%d,"seen":[%s]}\n' "$(current_mode)" "$uptime" "$(seen | cut -d' ' -f2- | paste -sd,)"
}

# Since HAProxy's start, the last first: seconds since the last connection, then ["port","peer","kind",connections,seconds]. The time
# is what is missing from the 24 hours after which an entry expires (port.cfg).
seen() {
  local table
  haproxy_cli 'show table' | sed -nE 's/^# table: ((plain|claimed)_[0-9]+),.*/\1/p' | while read -r table; do
    haproxy_cli "show table $table" | awk -v port="${table#*_}" -v kind="$([ "${table%_*}" = claimed ] && echo proxy || echo plain)" '
      { delete field; for (i = 1; i <= NF; i++) if (split($i, pair, "=") == 2) field[pair[1]] = pair[2] }
      "key" in field { age = 86400 - field["exp"] / 1000; printf "%.1f [\"%s\",\"%s\",\"%s\",%d,%.1f]\n", age, port, field["key"], kind, field["conn_cnt"], age }'
  done | sort -n
}

haproxy_cli() { socat -t 5 - "UNIX-CONNECT:$RUN/haproxy.sock" <<<"$1"; }

report() { # mode, mode before
  printf '{"mode":"%s","before":"%s","changed":%s,"nginx":"%s","haproxy":"%s"}\n' "$1" "$2" "$([ "$1" = "$2" ] && echo false || echo true)" "$(version nginx)" "$(version haproxy)"
}

version() { "$1" -v 2>&1 | awk 'NR == 1 { match($0, /[0-9]+(\.[0-9]+)+/); print substr($0, RSTART, RLENGTH) }'; }

# ---------------------------------------------------------------------------------------------------------------------

word=${1:-start}
shift || true
case $word in
  start) start ;;
  front) front ;;
  mode) mode "$@" ;;
  measure) measure ;;
  health) is_ready ;;
  *) fail ERR_INVALID_PARAMETER "there is no word '$word'; the words are start, front, mode, measure and health" ;;
esac
