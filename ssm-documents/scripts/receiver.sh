#!/usr/bin/env bash
# The receiver's side of the switch: installs it, sets its mode, counts what arrives, says what it is, removes it.
#
# One file, two lives. Systems Manager runs it with its parameters in SSM_* variables (interpolationType: ENV_VAR); on the
# instance it is kept as /usr/local/lib/proxyflip/receiver for the boot unit, the timer and nginx's drop-in.
#
# Modes and what they are made of (docs/how-it-works.md):
#
#              nginx's own listener on the port     nftables rule that leads new connections to HAProxy
#   plain      without proxy_protocol               absent
#   both       without proxy_protocol               present
#   proxy      with proxy_protocol                  absent; one for what comes from AlbCidrs alone
#
# The rule is there whenever the listener changes its kind. That is the whole trick: connections that exist stay where they
# are, new ones go to HAProxy, which takes either kind, and nobody is at the listener while it changes.
set -Eeuo pipefail
trap 'printf "proxyflip: ERR_INTERNAL: line %s: %s ended with status %s; please report it\n" "$LINENO" "$BASH_COMMAND" "$?" >&2' ERR
# The last command of a pipe runs in this shell: `… | put FILE` notes what has changed.
shopt -s lastpipe

readonly SETTINGS=/etc/proxyflip
readonly NGINX=/etc/nginx/proxyflip
readonly LIBRARY=/usr/local/lib/proxyflip
readonly KEPT=/var/lib/proxyflip
readonly RUN=/run/proxyflip
readonly READY=/run/proxyflip-health/ready
readonly CHAT=/opt/proxyflip-chat
readonly UNITS=(proxyflip-receiver.service proxyflip-haproxy.service proxyflip-assert.timer)

# ---------------------------------------------------------------------------------------------------------------------
# Words

say() { printf '%s\n' "$*"; }

# A failure is said in one line: what, with which value, what to do. Systems Manager shows it beside the instance.
fail() {
  printf 'proxyflip: %s: %s\n' "$1" "$2" >&2
  exit 1
}

# ---------------------------------------------------------------------------------------------------------------------
# What was asked for

# For Join. The agent puts it here: it reads references to Parameter Store in the document's text, and not, as far as is documented,
# in environment variables. The document's allowedPattern has no quote in it.
readonly JOINING='{{ Joining }}'

# With an agent that does not know ENV_VAR (before 3.3.2746.0) no value arrives at all. AWS's own fallback, splicing the
# values into the text, would bring back what ENV_VAR is for: so this fails closed.
read_request() {
  if [ -z "${SSM_Operation+set}" ]; then
    fail ERR_AGENT_TOO_OLD "the Systems Manager agent does not hand parameters over as environment variables; update amazon-ssm-agent to 3.3.2746.0 or later (AWS-UpdateSSMAgent)"
  fi
  OPERATION=$SSM_Operation
  MODE=${SSM_Mode:-}
  INSTANCE_PORTS=${SSM_InstancePorts:-}
  TRUSTED_CIDRS=${SSM_TrustedCidrs:-}
  ALB_CIDRS=${SSM_AlbCidrs:-}
  HEALTH_PORT=${SSM_HealthPort:-8078}
  NODES=${SSM_Nodes:-}
  EXISTING_SERVERS=${SSM_ExistingServers:-Refuse}
  CHAT_WANTED=${SSM_Chat:-Off}
  CHAT_ARTIFACT_URL=${SSM_ChatArtifactUrl:-}
  CHAT_ARTIFACT_SHA256=${SSM_ChatArtifactSha256:-}

  if [ "$OPERATION" = Join ]; then read_joining; fi

  # The document's allowedPattern has refused these before; a value that ends in a root shell and in files that are
  # sourced is looked at twice.
  expect Mode "$MODE" '(plain|both|proxy)?'
  expect InstancePorts "$INSTANCE_PORTS" '([0-9]{1,5}=(http|https|mixed)( [0-9]{1,5}=(http|https|mixed))*)?'
  # HAProxy does not start with a range that is none.
  local octet='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
  local cidr="$octet(\.$octet){3}/(3[0-2]|[12]?[0-9])"
  expect TrustedCidrs "$TRUSTED_CIDRS" "($cidr( $cidr)*)?"
  expect AlbCidrs "$ALB_CIDRS" "($cidr( $cidr)*)?"
  expect HealthPort "$HEALTH_PORT" '[0-9]{1,5}'
  expect Nodes "$NODES" '([0-9]{1,3}(\.[0-9]{1,3}){3}:[0-9]{1,5}=(http|https)( [0-9]{1,3}(\.[0-9]{1,3}){3}:[0-9]{1,5}=(http|https))*)?'
  expect ExistingServers "$EXISTING_SERVERS" 'Refuse|TakeOver'
  expect Chat "$CHAT_WANTED" 'On|Off'
  expect ChatArtifactUrl "$CHAT_ARTIFACT_URL" '((https?|s3)://[A-Za-z0-9._~:/?&=%+-]+)?'
  expect ChatArtifactSha256 "$CHAT_ARTIFACT_SHA256" '([0-9a-f]{64})?'
}

# "both; 80=http 81=https; 10.0.101.0/24"
read_joining() {
  if [ "$JOINING" = wait ]; then
    say 'no switch has begun at the load balancer: there is nothing to join yet'
    exit 0
  fi
  IFS=';' read -r MODE INSTANCE_PORTS TRUSTED_CIDRS <<<"$JOINING"
  INSTANCE_PORTS=${INSTANCE_PORTS# } TRUSTED_CIDRS=${TRUSTED_CIDRS# }
}

expect() {
  if ! [[ $2 =~ ^($3)$ ]]; then
    fail ERR_INVALID_PARAMETER "parameter $1 has the value '$2', which does not match $3"
  fi
}

# ---------------------------------------------------------------------------------------------------------------------
# What was set: one file of simple assignments, written whole or not at all

load_settings() {
  SET_MODE=none SET_PORTS='' SET_RELEASED='' SET_CIDRS='' SET_ALB_CIDRS='' SET_HEALTH_PORT=''
  # shellcheck source=/dev/null
  if [ -r $SETTINGS/receiver.env ]; then . $SETTINGS/receiver.env; fi
}

save_settings() {
  mkdir -p $SETTINGS
  cat >$SETTINGS/receiver.env.new <<EOF
# Written by proxyflip: what the receiver was set to, for the boot unit and the timer.
SET_MODE='$SET_MODE'
SET_PORTS='$SET_PORTS'
SET_CIDRS='$SET_CIDRS'
SET_ALB_CIDRS='$SET_ALB_CIDRS'
SET_HEALTH_PORT='$SET_HEALTH_PORT'
SET_RELEASED='$SET_RELEASED'
EOF
  mv $SETTINGS/receiver.env.new $SETTINGS/receiver.env
}

port_numbers() { # "80=http 81=https" → "80 81"
  local pair
  for pair in $1; do printf '%s ' "${pair%%=*}"; done
}

# Every port that is served here: those that are switched, and those that were. A port that is not named any more goes on
# being served, plain, since a listener of the load balancer may still feed it.
served_ports() { printf '%s' "$SET_PORTS $SET_RELEASED"; }

release_ports() { # new ports
  local pair released=''
  for pair in $(served_ports); do
    if [[ " $(port_numbers "$1")" != *" ${pair%%=*} "* ]]; then released+=" $pair"; fi
  done
  SET_RELEASED=${released# }
}

# ---------------------------------------------------------------------------------------------------------------------
# Packages

readonly PROGRAMS=(nginx haproxy nft socat curl)

missing_programs() {
  local program
  for program in "${PROGRAMS[@]}"; do
    command -v "$program" >/dev/null || printf '%s ' "$program"
  done
}

# The distribution's packages of programs that are missing.
packages_of() { # programs
  local program
  for program in $1; do
    case $program in
      nft) printf 'nftables ' ;;
      nginx) if command -v apt-get >/dev/null; then printf 'nginx-light '; else printf 'nginx '; fi ;;
      *) printf '%s ' "$program" ;;
    esac
  done
}

install_packages() {
  local missing packages said
  missing=$(missing_programs)
  [ -n "$missing" ] || return 0
  read -ra packages <<<"$(packages_of "$missing")"
  say "Installing: ${packages[*]}"
  # A distribution starts what it installs: nginx is wanted, the distribution's own HAProxy service is not.
  said=$(fetch_packages '' "${packages[@]}" 2>&1) || fail ERR_PACKAGES "$(packages_complaint "$said" "${packages[@]}")"
  if [[ " $missing" == *' haproxy '* ]]; then systemctl disable --now --quiet haproxy.service || true; fi
}

# Install them; or, into a directory of its own, only fetch them: lists and archives, as far as the package manager goes before its
# first change.
fetch_packages() { # directory or '', packages
  local trial=$1
  shift
  if command -v apt-get >/dev/null; then
    local apt=(apt-get -q -y -o DPkg::Lock::Timeout=120)
    if [ -n "$trial" ]; then
      mkdir -p "$trial/lists/partial" "$trial/archives/partial"
      apt+=(-o "Dir::State::lists=$trial/lists" -o "Dir::Cache=$trial" -o "Dir::Cache::archives=$trial/archives"
        -o Debug::NoLocking=true -o APT::Sandbox::User=root --download-only)
    fi
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" update && "${apt[@]}" --no-install-recommends install "$@"
  elif command -v dnf >/dev/null; then
    local dnf=(dnf -q -y)
    if [ -n "$trial" ]; then dnf+=(--downloadonly "--setopt=cachedir=$trial" "--setopt=logdir=$trial"); fi
    "${dnf[@]}" install "$@"
  else
    say 'neither apt-get nor dnf is here'
    return 1
  fi
}

packages_complaint() { # what was said, packages
  local said
  said=$(awk '/^(E:|W:|Error|neither)/ { print; exit }' <<<"$1")
  shift
  say "the instance cannot have the packages $*; let it reach its package repositories, or install them there: $said"
}

# ---------------------------------------------------------------------------------------------------------------------
# Gates that only the instance can see. Each prints its problems, a line each: "CODE message". SetMode fails by them before
# its first change, and Status reports them, so that the runbook can refuse before it changes any instance.

problems() {
  if command -v nft >/dev/null; then tproxy_problems; fi
  selinux_problems
  if command -v nginx >/dev/null; then
    shutdown_timeout_problems
    other_server_problems
  fi
  port_problems
  alb_problems
  chat_problems
}

refuse_by_problems() {
  local found code message
  found=$(problems)
  if [ -n "$found" ]; then
    read -r code message <<<"$found"
    fail "$code" "$message"
  fi
}

# What only a survey asks: fetching what SetMode fetches anyway takes as long as that.
package_problems() {
  local missing packages trial said
  missing=$(missing_programs)
  # Without a mode nobody is about to set one.
  if [ -z "$missing" ] || [ -z "$MODE" ]; then return 0; fi
  read -ra packages <<<"$(packages_of "$missing")"
  trial=$(mktemp -d)
  if ! said=$(fetch_packages "$trial" "${packages[@]}" 2>&1); then
    say "ERR_PACKAGES $(packages_complaint "$said" "${packages[@]}")"
  fi
  rm -rf "$trial"
}

# The targeted policy of Amazon Linux and its relatives confines nginx (httpd_t) and HAProxy (haproxy_t): neither may bind these ports,
# nor may one connect to the other's sockets. A module of our own was not written: nothing here could have tried it.
selinux_problems() {
  local domain confined=() modules
  command -v getenforce >/dev/null && [ "$(getenforce)" = Enforcing ] || return 0
  modules=$(semodule -l 2>/dev/null || true)
  for domain in httpd_t haproxy_t; do
    grep -Eq "^permissive_$domain([[:space:]]|$)" <<<"$modules" || confined+=("$domain")
  done
  [ ${#confined[@]} -gt 0 ] || return 0
  say "ERR_SELINUX SELinux is enforcing and confines ${confined[*]} (nginx, HAProxy): neither could bind the ports, nor reach the other. Run$(printf ' semanage permissive -a %s;' "${confined[@]}") (package policycoreutils-python-utils), or set SELinux to permissive"
}

tproxy_problems() {
  if ! nft -c -f - <<<'table ip proxyflip_gate { chain c { type filter hook prerouting priority mangle; tcp dport 80 tproxy to 127.0.0.1:8079 accept; }; }' 2>/dev/null; then
    say "ERR_NO_TPROXY this kernel has no nft tproxy (module nft_tproxy); use a kernel that has it, such as the distribution's own"
  fi
}

shutdown_timeout_problems() {
  if nginx_configuration | grep -Eq '^[[:space:]]*worker_shutdown_timeout[[:space:]]+[^0]'; then
    say 'ERR_WORKER_SHUTDOWN_TIMEOUT nginx is set to worker_shutdown_timeout, which cuts open WebSockets at every reload; remove it and run again'
  fi
}

port_problems() {
  local port owner
  for port in $(port_numbers "$INSTANCE_PORTS"); do
    owner=$(ss -Hltnp "sport = :$port" | awk -F'"' '$2 != "nginx" { print $2; exit }')
    if [ -n "$owner" ]; then
      say "ERR_PORT_TAKEN instance port $port belongs to $owner, not to nginx; free it and run again"
    fi
  done
}

# A Classic Load Balancer passes a client's own X-Forwarded-For on, an Application Load Balancer writes it: nothing but the range tells
# which of the two a connection without a PROXY line is from (docs/decisions/0015).
alb_problems() {
  local alb trusted
  for alb in $ALB_CIDRS; do
    for trusted in $TRUSTED_CIDRS; do
      if overlap "${alb/\// }" "${trusted/\// }"; then
        say "ERR_ALB_CIDRS $alb of AlbCidrs overlaps $trusted of TrustedCidrs: behind the Classic Load Balancer a client could write X-Forwarded-For itself and be believed; give the Application Load Balancer subnets of its own"
      fi
    done
  done
}

overlap() { # "10.0.101.0 24" "10.0.0.0 16"
  local a a_bits b b_bits bits
  read -r a a_bits <<<"$1"
  read -r b b_bits <<<"$2"
  bits=$((a_bits < b_bits ? a_bits : b_bits))
  [ $(($(number "$a") >> (32 - bits))) = $(($(number "$b") >> (32 - bits))) ]
}

number() { # address
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $((((a * 256 + b) * 256 + c) * 256 + d))
}

# Only whether it can be reached; what it is, is verified when it has been fetched.
chat_problems() {
  [ "$CHAT_WANTED" = On ] || return 0
  if [ -z "$CHAT_ARTIFACT_URL" ] || [ -z "$CHAT_ARTIFACT_SHA256" ]; then
    say 'ERR_CHAT_ARTIFACT Chat is On, but ChatArtifactUrl or ChatArtifactSha256 is empty; give both, or set Chat to Off'
  elif [ -d "$CHAT/$CHAT_ARTIFACT_SHA256" ]; then
    return 0
  elif [[ $CHAT_ARTIFACT_URL == s3://* ]]; then
    if ! command -v aws >/dev/null; then
      say 'ERR_CHAT_ARTIFACT ChatArtifactUrl is an s3:// address and the aws command is not on this instance; install it or give an https:// address'
    fi
  elif command -v curl >/dev/null && ! curl --head --fail --silent --location --max-time 20 --output /dev/null "$CHAT_ARTIFACT_URL"; then
    say "ERR_CHAT_ARTIFACT $CHAT_ARTIFACT_URL cannot be reached from this instance; check its network and the bucket's policy"
  fi
}

nginx_configuration() { nginx -T 2>/dev/null || true; }

# Other people's servers on an instance port: proxy_protocol on one listener of an address makes every server on it
# require the line, and in `both` connections come by sockets that those servers do not know.
# Prints, for each listen directive that counts: file, line of the directive, line of its server, the directive, port,
# whether the server answers for any name (default or catch-all), and the server's body without comments and white space.
other_servers() {
  nginx_configuration | awk -v ports=" $(port_numbers "$INSTANCE_PORTS")" -v OFS='\t' '
    function port_of(directive,   first) {
      first = directive; sub(/^listen +/, "", first); sub(/ .*/, "", first)
      if (first ~ /^unix:/) return ""
      if (first ~ /^[0-9]+$/) return first
      if (first ~ /:[0-9]+$/) { sub(/.*:/, "", first); return first }
      return "80"
    }
    function end_server(   i, catches) {
      if (taken) return
      # Without a listen directive a server listens on 80 (nginx as root), which cannot be taken over line by line.
      if (!listens) { listens = 1; directive[1] = "listen 80 (by default)"; at[1] = 0 }
      for (i = 1; i <= listens; i++) {
        if (!index(ports, " " port_of(directive[i]) " ")) continue
        catches = directive[i] ~ / default_server/ || !named ? "catches" : "named"
        print file, at[i], started, directive[i], port_of(directive[i]), catches, body
      }
    }
    /^# configuration file / { file = $4; sub(/:$/, "", file); line = 0; depth = 0; in_server = 0; next }
    { line++
      text = $0; sub(/(^|[ \t;{}])#.*/, "", text)
      for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "{") {
          gsub(/^[ \t]+|[ \t]+$/, "", word)
          if (word == "server" && !in_server && file !~ /\/proxyflip/) { in_server = 1; level = depth; started = line; listens = 0; named = 0; taken = 0; body = "" }
          else if (in_server) body = body word "{"
          word = ""; depth++
        } else if (c == "}") {
          depth--; word = ""
          if (in_server && depth == level) { in_server = 0; end_server() } else if (in_server) body = body "}"
        } else if (c == ";") {
          gsub(/[ \t]+/, " ", word); gsub(/^ | $/, "", word)
          if (in_server) {
            body = body word ";"
            if (depth == level + 1 && word ~ /^listen /) { listens++; directive[listens] = word; at[listens] = line }
            if (word ~ /^include proxyflip\/listen\//) taken = 1
            if (depth == level + 1 && word ~ /^server_name / && word !~ /^server_name (_|""|localhost)$/) named = 1
          }
          word = ""
        } else word = word c
      }
      word = word " "
    }'
}

# What a distribution ships as its default server, untouched: it serves nobody, and steps aside.
is_untouched_default() { # file, body
  case $1 in
    /etc/nginx/sites-enabled/default | /etc/nginx/sites-available/default)
      local shipped
      shipped=$(dpkg-query -W -f='${Conffiles}\n' nginx-common 2>/dev/null | awk '$1 == "/etc/nginx/sites-available/default" { print $2 }')
      [ -n "$shipped" ] && [ "$(md5sum </etc/nginx/sites-available/default)" = "$shipped  -" ]
      ;;
    /etc/nginx/nginx.conf)
      # Amazon Linux: a server in nginx.conf itself, which is not a default_server and so gives way to one.
      [[ $2 =~ ^listen\ 80\;listen\ \[::\]:80\;server_name\ _\;root\ /usr/share/nginx/html\;include\ /etc/nginx/default.d/\*.conf\; ]]
      ;;
    *) false ;;
  esac
}

other_server_problems() {
  local file line server directive port catches body
  other_servers | while IFS=$'\t' read -r file line server directive port catches body; do
    if is_untouched_default "$file" "$body"; then
      continue
    elif [ "$EXISTING_SERVERS" = Refuse ]; then
      say "ERR_EXISTING_SERVER $file:$server: a server with '$directive' is on an instance port and is not proxyflip's; run with ExistingServers=TakeOver, or move it to another port"
    elif [ "$line" = 0 ]; then
      say "ERR_EXISTING_SERVER $file:$server: a server without a listen line is on port 80 by default; write 'listen 80;' into it and run again"
    fi
  done
}

# What TakeOver replaces: lines of "file line port catches".
listen_lines_to_take() {
  local file line server directive port catches body
  other_servers | while IFS=$'\t' read -r file line server directive port catches body; do
    if ! is_untouched_default "$file" "$body"; then say "$(realpath "$file") $line $port $catches"; fi
  done
}

# Replace exactly the listen lines of other servers by the include of their port. The original is kept, and Uninstall puts it
# back. A server that answers for any name stays the default of its port; ours is not installed there.
take_over() {
  local file line port catches kept include
  while read -r file line port catches; do
    [ -n "$file" ] || continue
    kept=$KEPT/originals/files$file
    if [ ! -e "$kept" ]; then
      mkdir -p "$(dirname "$kept")"
      cp -a "$file" "$kept"
    fi
    include="proxyflip/listen/$port-other.conf"
    if [ "$catches" = catches ]; then
      include="proxyflip/listen/$port.conf"
      mkdir -p $SETTINGS
      touch "$SETTINGS/default-taken-$port"
    fi
    # The second listen line of a server on the same port, such as [::]:80, has its like in the include already.
    awk -v at="$line" -v port="$port" -v include="$include" '
      NR == at {
        while (match($0, /listen[ \t]+[^;]*;/)) {
          directive = substr($0, RSTART, RLENGTH)
          head = head substr($0, 1, RSTART - 1)
          $0 = substr($0, RSTART + RLENGTH)
          plain = directive; gsub(/[ \t]+/, " ", plain); sub(/^listen /, "", plain); sub(/[ ;].*/, "", plain); sub(/.*:/, "", plain)
          if (plain != port) head = head directive
          else { head = head (done++ ? "" : "include " include ";"); was = was " # proxyflip: " directive }
        }
        # At the end of the line: a line more would move the places of those below.
        print head $0 was; next
      }
      { print }' "$file" >"$file.proxyflip"
    cat "$file.proxyflip" >"$file"
    rm "$file.proxyflip"
    CHANGED=yes NGINX_CHANGED=yes
  done <<<"$TAKEN"
  drop_second_includes
}

# A server that listened on 80 and on [::]:80 has the include twice now; nginx refuses what is listened on twice.
drop_second_includes() {
  local file
  while read -r file _; do
    [ -n "$file" ] || continue
    awk '
      /(^|[ \t])server[ \t]*\{/ { delete seen }
      match($0, /include proxyflip\/listen\/[^;]*;/) {
        name = substr($0, RSTART, RLENGTH)
        if (name in seen) $0 = substr($0, 1, RSTART - 1) substr($0, RSTART + RLENGTH)
        seen[name] = 1
      }
      { print }' "$file" >"$file.proxyflip"
    cat "$file.proxyflip" >"$file"
    rm "$file.proxyflip"
  done <<<"$TAKEN"
}

give_back() {
  local kept
  [ -d $KEPT/originals/files ] || return 0
  find $KEPT/originals/files -type f | while read -r kept; do cp -a "$kept" "${kept#"$KEPT/originals/files"}"; done
}

step_aside() {
  local default=/etc/nginx/sites-enabled/default
  if [ -e $default ] && is_untouched_default $default ''; then
    mkdir -p $KEPT/originals
    mv $default $KEPT/originals/sites-enabled-default
    CHANGED=yes
  fi
}

# ---------------------------------------------------------------------------------------------------------------------
# Files

CHANGED=no
NGINX_CHANGED=no

# Write standard input to a file if that differs. $1 = path, $2 = mode (0644). Sets CHANGED.
put() {
  local new
  mkdir -p "$(dirname "$1")"
  new=$(mktemp "$(dirname "$1")/.proxyflip.XXXXXX")
  cat >"$new"
  chmod "${2:-0644}" "$new"
  if cmp -s "$new" "$1"; then
    rm -f "$new"
    return
  fi
  mv "$new" "$1"
  CHANGED=yes
  case $1 in /etc/nginx/*) NGINX_CHANGED=yes ;; esac
}

# The files below nginx/ in the sources; the build writes this function's body, one case for each.
# shellcheck disable=SC2317  # In the sources it has no case but the last.
payload() {
  case $1 in
    # @PAYLOAD@
    *) fail ERR_INTERNAL "no file $1 in this document; it was not built" ;;
  esac
}

listen_lines() { # port, plain|proxy, " default_server" or ""
  local flag=$3 cidr
  [ "$2" = proxy ] && flag+=' proxy_protocol'
  echo "# Written by proxyflip for the mode that is set: how connections reach the servers on instance port $1."
  echo "listen $1$flag;"
  if [ -e /proc/net/if_inet6 ]; then echo "listen [::]:$1$flag;"; fi
  echo '# In mode both: from HAProxy, for connections without a PROXY line and with one. What HAProxy says of them is believed:'
  echo '# the peer of the first kind, and 0.0.0.0 for the second.'
  echo "listen unix:$RUN/$1-plain.sock$3 proxy_protocol;"
  echo "listen unix:$RUN/$1-claimed.sock$3 proxy_protocol;"
  echo 'real_ip_header proxy_protocol;'
  echo 'set_real_ip_from unix:;'
  echo '# The load balancer'\''s subnets: a PROXY line from elsewhere is not believed.'
  for cidr in $SET_CIDRS; do echo "set_real_ip_from $cidr;"; done
}

# What nginx's own listener on a port expects now; `plain` for a port that it does not have yet.
listener_kind() { # port
  if grep -qs "^listen $1 .*proxy_protocol;" "$NGINX/listen/$1.conf"; then echo proxy; else echo plain; fi
}

# In `both` nobody is at it while the rule is there. Where the rule is lost, as by a flush, it is met directly: plain, it answers 400 to
# a PROXY line, and a strict one would believe a client's own line once the policy is off.
wanted_kind() { # port
  if [ "$MODE" = proxy ] && [[ " $(port_numbers "$SET_RELEASED")" != *" $1 "* ]]; then echo proxy; else echo plain; fi
}

write_listen_lines() { # listener_kind, to write them as they are, or wanted_kind
  local port kind
  for port in $(port_numbers "$(served_ports)"); do
    kind=$("$1" "$port")
    listen_lines "$port" "$kind" ' default_server' | put "$NGINX/listen/$port.conf"
    # For servers of somebody else that were taken over.
    listen_lines "$port" "$kind" '' | put "$NGINX/listen/$port-other.conf"
  done
}

listeners_change() {
  local port
  for port in $(port_numbers "$(served_ports)"); do
    if [ "$(listener_kind "$port")" != "$(wanted_kind "$port")" ]; then return 0; fi
  done
  return 1
}

write_files() {
  local cidr pair part port unit
  install_self
  for unit in "${UNITS[@]}" proxyflip-assert.service; do payload "systemd/$unit" | put "/etc/systemd/system/$unit"; done
  payload systemd/nginx.conf | put /etc/systemd/system/nginx.service.d/proxyflip.conf
  payload systemd/tmpfiles.conf | put /etc/tmpfiles.d/proxyflip.conf

  local alb=${SET_ALB_CIDRS:+alb}
  { for part in haproxy tproxy kinds $alb choose; do payload "haproxy/$part.cfg"; done
    for port in $(port_numbers "$(served_ports)"); do
      for part in port ${alb:+alb-port}; do payload "haproxy/$part.cfg" | sed "s/@PORT@/$port/g"; done
    done
  } | sed "s|@ALB_CIDRS@|$SET_ALB_CIDRS|" | put $SETTINGS/haproxy.cfg

  payload snippets/application.conf | put $NGINX/snippets/application.conf
  payload snippets/port.conf | put $NGINX/snippets/port.conf
  payload upstreams.conf | put $NGINX/upstreams.conf
  for pair in $(served_ports); do
    if [ -e "$SETTINGS/default-taken-${pair%%=*}" ]; then continue; fi
    payload "vhosts/${pair#*=}.conf" | sed "s/@PORT@/${pair%%=*}/g" | put "$NGINX/vhosts/${pair%%=*}.conf"
  done
  payload vhosts/health.conf | sed "s/@HEALTH_PORT@/$SET_HEALTH_PORT/g" | put $NGINX/vhosts/health.conf
  write_listen_lines listener_kind
  for cidr in $SET_ALB_CIDRS; do echo "$cidr alb;"; done | put $NGINX/alb.conf
  payload proxyflip.conf | put /etc/nginx/conf.d/proxyflip.conf
}

install_self() {
  if [ "$0" != $LIBRARY/receiver ]; then sed "s/^readonly JOINING=.*/readonly JOINING=''/" "$0" | put $LIBRARY/receiver 0755; fi
}

# Everything that SetMode writes, in one order.
managed_files() {
  { find $NGINX $SETTINGS/haproxy.cfg /etc/nginx/conf.d/proxyflip.conf $LIBRARY/receiver /etc/tmpfiles.d/proxyflip.conf \
    /etc/systemd/system/nginx.service.d/proxyflip.conf /etc/systemd/system/proxyflip-* -type f 2>/dev/null || true; } | LC_ALL=C sort
}

checksum() { managed_files | xargs -r sha256sum | sha256sum | cut -d' ' -f1; }

# For the drift check (inspect.sh), which names the file that is not as it was written, and for is_intact.
remember_files() {
  mkdir -p $KEPT
  managed_files | xargs -r sha256sum >$KEPT/files.new
  mv $KEPT/files.new $KEPT/files
}

# Whether what the last SetMode left is still so, and is what this request has, as far as it says. A receiver whose version kept no list of
# files is taken to have them.
is_intact() {
  [ "$SET_MODE" != none ] || return 0
  if [ -n "$INSTANCE_PORTS" ] && [ "$SET_PORTS;$SET_CIDRS;$SET_ALB_CIDRS;$SET_HEALTH_PORT" != "$INSTANCE_PORTS;$TRUSTED_CIDRS;$ALB_CIDRS;$HEALTH_PORT" ]; then return 1; fi
  local unit
  if [ ! -e $READY ] || [ -n "$(not_ready)" ]; then return 1; fi
  for unit in "${UNITS[@]}"; do systemctl is-active --quiet "$unit" || return 1; done
  if [ "$CHAT_WANTED" = On ] && ! systemctl is-active --quiet proxyflip-chat.service; then return 1; fi
  [ ! -e $KEPT/files ] || managed_files | xargs -r sha256sum | cmp -s - $KEPT/files
}

# ---------------------------------------------------------------------------------------------------------------------
# nginx

nginx_master() { systemctl show --property=MainPID --value nginx.service; }

# Test, then reload; where either fails, the files of before are put back.
reload_nginx() {
  local said
  if ! said=$(nginx -t 2>&1); then
    restore_backup
    fail ERR_NGINX_TEST "nginx does not take the new configuration, the one of before is back: $(grep -m1 -E '\[(emerg|alert|crit)\]' <<<"$said")"
  fi
  if ! systemctl is-active --quiet nginx.service; then
    systemctl start nginx.service || fail ERR_NGINX_START "nginx does not start: $(journalctl -u nginx.service -n 3 -o cat | tr '\n' ' ')"
    return
  fi
  if ! reload_and_wait; then
    restore_backup
    fail ERR_NGINX_RELOAD "nginx keeps its old workers: it refused the new configuration, the files of before are back: $(tail -n 1 /var/log/nginx/error.log)"
  fi
}

# Returns when no worker of before accepts any more: a worker that is shutting down has closed its listeners, and may live
# as long as its last WebSocket. Somebody else's reload may be under way at the same time, whose workers come after ours were
# counted and before ours come (seen): so the accepting workers also have to stay the same for a while.
reload_and_wait() {
  local master old now seen='' calm=0 limit pid
  master=$(nginx_master)
  old=" $(accepting_workers "$master") "
  systemctl reload nginx.service || return 1
  limit=$((SECONDS + 30))
  while [ $calm -lt 6 ]; do
    [ $SECONDS -lt $limit ] || return 1
    sleep 0.05
    now=$(accepting_workers "$master")
    if [ "$now" = "$seen" ]; then calm=$((calm + 1)); else calm=0; fi
    seen=$now
    for pid in $now; do
      if [[ $old == *" $pid "* ]]; then calm=0; fi
    done
  done
}

accepting_workers() { # master
  local pid children
  children=$(cat "/proc/$1/task/$1/children")
  for pid in $children; do
    if ! grep -aq 'shutting down' "/proc/$pid/cmdline" 2>/dev/null; then printf '%s ' "$pid"; fi
  done
}

backup() {
  rm -rf $KEPT/last-good
  mkdir -p $KEPT/last-good
  if [ -d $NGINX ]; then cp -a $NGINX $KEPT/last-good/proxyflip; fi
  if [ -e /etc/nginx/conf.d/proxyflip.conf ]; then cp -a /etc/nginx/conf.d/proxyflip.conf $KEPT/last-good/; fi
  local file
  while read -r file _; do
    if [ -n "$file" ]; then cp -a --parents "$file" $KEPT/last-good/; fi
  done <<<"$TAKEN"
}

restore_backup() {
  if [ -d $KEPT/last-good/etc ]; then cp -a $KEPT/last-good/etc/. /etc/; fi
  rm -rf $NGINX /etc/nginx/conf.d/proxyflip.conf
  if [ -d $KEPT/last-good/proxyflip ]; then cp -a $KEPT/last-good/proxyflip $NGINX; fi
  if [ -e $KEPT/last-good/proxyflip.conf ]; then
    cp -a $KEPT/last-good/proxyflip.conf /etc/nginx/conf.d/
  elif [ -e $KEPT/originals/sites-enabled-default ]; then
    mv $KEPT/originals/sites-enabled-default /etc/nginx/sites-enabled/default
  fi
}

# ---------------------------------------------------------------------------------------------------------------------
# The rule

has_rule() { nft list table ip proxyflip >/dev/null 2>&1; }

# One transaction: there is no moment without the rule when it is written again for other ports. Not NAT: established
# connections are not looked at, and a host firewall still sees the instance port (docs/decisions/0003).
add_rule() { write_rule proxyflip ''; }

write_rule() { # table, and from where: "ip saddr 10.0.111.0/24", a line each, or '' for everywhere
  local from ports
  ports=$(port_numbers "$(served_ports)" | xargs | tr ' ' ',')
  nft -f - <<EOF
table ip $1 {}
delete table ip $1
table ip $1 {
  chain prerouting {
    type filter hook prerouting priority mangle; policy accept;
$(while read -r from; do echo "$from tcp dport { $ports } tproxy to 127.0.0.1:8079 accept"; done <<<"$2")
  }
}
EOF
}

delete_rule() { if has_rule; then nft delete table ip proxyflip; fi; }

# An Application Load Balancer writes no PROXY line, and where nginx requires one it is led to HAProxy, too. A table of its own, there
# in `both` as well, so that it is not without a rule while the other one goes.
needs_alb_rule() { [ -n "$SET_ALB_CIDRS" ] && { [ "$SET_MODE" = both ] || [ "$SET_MODE" = proxy ]; }; }

has_alb_rule() { nft list table ip proxyflip_alb >/dev/null 2>&1; }

set_alb_rule() {
  if needs_alb_rule; then
    write_rule proxyflip_alb "ip saddr ${SET_ALB_CIDRS// /$'\n'ip saddr }"
  elif has_alb_rule; then
    nft delete table ip proxyflip_alb
  fi
}

# ---------------------------------------------------------------------------------------------------------------------
# The mode

set_mode() {
  [ -n "$MODE" ] || fail ERR_INVALID_PARAMETER 'parameter Mode is empty; SetMode needs plain, both or proxy'
  [ -n "$INSTANCE_PORTS" ] || fail ERR_INVALID_PARAMETER 'parameter InstancePorts is empty; SetMode needs them, such as 80=http 81=https'
  local before
  before=$SET_MODE

  refuse_by_problems
  install_packages
  # Again with what only the packages can tell.
  refuse_by_problems
  TAKEN=$(listen_lines_to_take)

  release_ports "$INSTANCE_PORTS"
  SET_PORTS=$INSTANCE_PORTS SET_CIDRS=$TRUSTED_CIDRS SET_ALB_CIDRS=$ALB_CIDRS SET_HEALTH_PORT=$HEALTH_PORT

  backup
  take_over
  write_files
  step_aside
  if [ "$CHANGED" = yes ]; then
    systemctl daemon-reload
    systemd-tmpfiles --create /etc/tmpfiles.d/proxyflip.conf
    systemctl enable --quiet "${UNITS[@]}" nginx.service
  fi
  haproxy_follows
  if [ "$NGINX_CHANGED" = yes ] || ! systemctl is-active --quiet nginx.service; then reload_nginx; fi
  install_chat

  if [ "$MODE" = both ] || listeners_change; then
    # Remembered first: a machine that dies here comes back in `both`, which serves whatever is sent.
    if [ "$SET_MODE" != both ]; then SET_MODE=both CHANGED=yes; fi
    save_settings
    if ! has_rule; then CHANGED=yes; fi
    add_rule
    set_alb_rule
    prove_both
  fi
  if listeners_change; then
    write_listen_lines wanted_kind
    reload_nginx
  fi
  if [ "$MODE" != both ]; then
    if has_rule; then CHANGED=yes; fi
    delete_rule
    if [ "$SET_MODE" != "$MODE" ]; then SET_MODE=$MODE CHANGED=yes; fi
  fi
  set_alb_rule
  save_settings
  systemctl start --quiet "${UNITS[@]}"
  remember_files
  assert_ready
  report "$before"
}

# An instance that comes later (docs/decisions/0007). What it is to be may be older than the lock that was waited for, so a receiver
# that has just been set is left alone: a run is at work. One that was away in another mode goes to `both` first, which serves
# whatever is sent.
join() {
  if [ "$SET_MODE" != none ]; then
    if [ $(($(date +%s) - $(stat -c %Y $SETTINGS/receiver.env))) -lt 300 ]; then
      MODE=$SET_MODE INSTANCE_PORTS=$SET_PORTS
    elif [ "$SET_MODE" != both ] && [ "$SET_MODE" != "$MODE" ]; then
      MODE=both
    fi
  fi
  if [ "$SET_MODE" = "$MODE" ] && [ "$SET_PORTS" = "$INSTANCE_PORTS" ]; then report "$SET_MODE"; else set_mode; fi
}

# HAProxy runs in every mode, so that entering `both` starts nothing; a changed configuration is taken up by a reload,
# which leaves its connections to the process that has them.
haproxy_follows() {
  local loaded=$KEPT/haproxy.cfg.loaded
  if ! systemctl is-active --quiet proxyflip-haproxy.service; then
    systemctl start proxyflip-haproxy.service ||
      fail ERR_HAPROXY_START "HAProxy does not start: $(journalctl -u proxyflip-haproxy.service -n 3 -o cat | tr '\n' ' ')"
  elif ! cmp -s $SETTINGS/haproxy.cfg $loaded; then
    systemctl reload proxyflip-haproxy.service || fail ERR_HAPROXY_START 'HAProxy does not take its new configuration'
  fi
  cp $SETTINGS/haproxy.cfg $loaded
}

# A plain request and one with a PROXY line, to each instance port, through the instance's own network address: both have to
# be answered by nginx. 400 is what nginx says to a line that it does not expect.
prove_both() {
  local port kind status attempt address
  address=$(own_addresses | head -n 1)
  for port in $(port_numbers "$(served_ports)"); do
    for kind in plain claimed; do
      status=000
      for attempt in 1 2 3 4 5; do
        [ "$attempt" = 1 ] || sleep 0.3
        if [ $kind = claimed ]; then
          status=$(probe "http://$address:$port" --haproxy-protocol)
        else
          status=$(probe "http://$address:$port")
        fi
        case $status in 000 | 400) ;; *) break ;; esac
      done
      case $status in
        000 | 400)
          # As it was: the listener has not been touched, so without the rule the port serves what it served before.
          if [ "$before" != both ]; then
            delete_rule
            SET_MODE=$before
            set_alb_rule
            save_settings
          fi
          fail ERR_NOT_BOTH "a $kind request to $address:$port was answered with status $status in mode both; the receiver is as it was, see journalctl -u proxyflip-haproxy and nginx's error log"
          ;;
      esac
    done
  done
}

probe() { # url, more of curl's options → status, 000 without an answer
  local url=$1
  shift
  curl --silent --insecure --output /dev/null --max-time 5 --write-out '%{http_code}' "$@" "$url/.well-known/proxyflip" || true
}

own_addresses() { ip -4 -o address show scope global | awk '{ sub(/\/.*/, "", $4); print $4 }'; }

# ---------------------------------------------------------------------------------------------------------------------
# Called by systemd

boot() {
  clear_sockets
  if [ "$SET_MODE" = both ]; then add_rule; else delete_rule; fi
  set_alb_rule
}

# nginx that was killed leaves its sockets, and then cannot start: "still could not bind()".
clear_sockets() {
  if ! systemctl is-active --quiet nginx.service; then rm -f $RUN/*.sock.tmp $RUN/[0-9]*-plain.sock $RUN/[0-9]*-claimed.sock; fi
}

# What is not as it was set is put back where that cannot hurt; readiness is said either way.
assert_mode() {
  if [ "$SET_MODE" = both ] && ! has_rule; then
    add_rule
    say 'the rule of mode both was gone and is back'
  fi
  if needs_alb_rule && ! has_alb_rule; then
    set_alb_rule
    say 'the rule for the Application Load Balancer was gone and is back'
  fi
  systemctl is-active --quiet proxyflip-haproxy.service || systemctl start --no-block proxyflip-haproxy.service
  assert_ready
}

assert_ready() {
  local why
  why=$(not_ready)
  if [ -n "$why" ]; then
    rm -f $READY
    say "not ready: $why"
    return
  fi
  mkdir -p "$(dirname $READY)"
  printf '{"mode":"%s"}\n' "$SET_MODE" >$READY.new
  mv $READY.new $READY
}

not_ready() {
  local port
  if [ "$SET_MODE" = none ]; then echo 'no mode is set'; return; fi
  if ! systemctl is-active --quiet nginx.service; then echo 'nginx is not running'; return; fi
  if [ "$SET_MODE" = both ] && ! has_rule; then echo 'mode both without its rule'; return; fi
  if [ "$SET_MODE" != both ] && has_rule; then echo "mode $SET_MODE with the rule of mode both"; return; fi
  if needs_alb_rule && ! has_alb_rule; then echo 'no rule for the Application Load Balancer'; return; fi
  if { [ "$SET_MODE" = both ] || needs_alb_rule; } && ! systemctl is-active --quiet proxyflip-haproxy.service; then echo 'HAProxy is not running'; return; fi
  for port in $(port_numbers "$(served_ports)"); do
    if [ ! -S "$RUN/$port-plain.sock" ] || [ ! -S "$RUN/$port-claimed.sock" ]; then echo "nginx has no sockets for port $port"; return; fi
  done
}

# ---------------------------------------------------------------------------------------------------------------------
# Measure and Status

haproxy_cli() { socat -t 5 - "UNIX-CONNECT:$RUN/haproxy.sock" <<<"$1"; }

# Probes first, so that a node without traffic shows what it sends; then the counts. Seconds since the last connection are
# what is missing from the 24 hours after which an entry would expire.
measure() {
  local port kind uptime entries omitted='' probes
  probes=$(probe_nodes)

  uptime=$(haproxy_cli 'show info' | awk -F': ' '$1 == "Uptime_sec" { print $2 }')
  entries=$(
    for port in $(port_numbers "$SET_PORTS"); do
      for kind in plain claimed; do
        haproxy_cli "show table ${kind}_$port" | awk -v port="$port" -v kind="${kind/claimed/proxy}" '
          { delete field; for (i = 1; i <= NF; i++) if (split($i, pair, "=") == 2) field[pair[1]] = pair[2] }
          "key" in field { printf "%.1f [\"%s\",\"%s\",\"%s\",%d,%.1f]\n", 86400 - field["exp"] / 1000, port, field["key"], kind, field["conn_cnt"], 86400 - field["exp"] / 1000 }'
      done
    done | sort -n
  )
  # 2,500 characters are all that ListCommandInvocations passes on: about forty entries beside the rest.
  local total kept=40
  total=$(grep -c . <<<"$entries" || true)
  if [ "$total" -gt $kept ]; then omitted=",\"omitted\":$((total - kept))"; fi
  printf '{"mode":"%s","uptime":%d,"open":{"classic":%d,"alb":%d},"own":[%s],"seen":[%s]%s,"probes":"%s"}\n' "$SET_MODE" "${uptime:-0}" \
    "$(open_from "$SET_CIDRS")" "$(open_from "$SET_ALB_CIDRS")" \
    "$(own_addresses | sed 's/.*/"&"/' | paste -sd,)" \
    "$(head -n $kept <<<"$entries" | cut -d' ' -f2- | paste -sd,)" "$omitted" "$probes"
}

# Connections that are open to the instance ports from these ranges, in whichever mode they came: nginx has them, or HAProxy.
open_from() { # "10.0.101.0/24 10.0.102.0/24"
  local port cidr ports='' sources=''
  for port in $(port_numbers "$(served_ports)"); do ports+=" or sport = :$port"; done
  for cidr in $1; do sources+=" or dst $cidr"; done
  if [ -z "$ports" ] || [ -z "$sources" ]; then echo 0; else ss -Htn state established "( ${ports# or } ) and ( ${sources# or } )" | wc -l; fi
}

# Through each listener of each node: the receiver at the other end, which may be another instance's, answers with the kind of the
# connection that the request came by. A character for each: 0 without a PROXY line, 1 with one, 2 some of each, - no such answer.
probe_nodes() {
  local node answers pids=()
  answers=$(mktemp -d)
  for node in $NODES; do
    probe_node "$node" >"$answers/${#pids[@]}" &
    pids+=($!)
  done
  for node in "${!pids[@]}"; do
    wait "${pids[$node]}" || true
    case $(sort -u "$answers/$node" | awk '/^(plain|claimed)$/' | paste -sd,) in
      plain) printf 0 ;;
      claimed) printf 1 ;;
      claimed,plain) printf 2 ;;
      *) printf - ;;
    esac
  done
  rm -rf "$answers"
}

# Three connections: a part of a node may be later than the rest of it.
probe_node() { # 10.0.101.21:443=https
  local url="${1##*=}://${1%=*}/.well-known/proxyflip"
  curl --silent --insecure --connect-timeout 2 --max-time 5 --header 'Connection: close' "$url" "$url" "$url" || true
}

report() { # mode before, more members or nothing
  printf '{"mode":"%s","before":"%s","changed":%s,"ready":%s,"intact":%s,"nginx":"%s","haproxy":"%s","checksum":"%s"%s}\n' \
    "$SET_MODE" "$1" "$([ $CHANGED = yes ] && echo true || echo false)" "$([ -e $READY ] && echo true || echo false)" \
    "$(is_intact && echo true || echo false)" \
    "$(version nginx)" "$(version haproxy)" "$(checksum)" "${2:-}"
}

version() { # program → 1.22.1, or nothing where it is not installed
  if command -v "$1" >/dev/null; then "$1" -v 2>&1 | awk 'NR == 1 { match($0, /[0-9]+(\.[0-9]+)+/); print substr($0, RSTART, RLENGTH) }'; fi
}

# What is, and what would stand against SetMode with the same parameters. Changes nothing.
status() {
  local found
  found=$({ problems; package_problems; } | awk 'NR <= 8' | cut -c1-220 | sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&"/' | paste -sd,)
  report "$SET_MODE" ",\"problems\":[$found]"
}

# Status, and before it which files SetMode with the same parameters would make and change.
plan() {
  # In a mount namespace of its own, where it is done: nothing of it stays. Systems Manager passes on 2,500 characters in all, and
  # the last line has to be among them; what stands against SetMode is long, and goes first.
  if [ -z "$(problems)" ] && [ -z "$(missing_programs)" ]; then
    unshare --mount -- bash "$0" rehearse-files |
      awk '{ size += length($0) + 1 } size <= 1800 { print; next } { more++ } END { if (more) print "… and " more " more lines" }' ||
      say 'which files would change cannot be shown on this instance'
  fi
  status
}

rehearse_files() {
  local directory file
  mount -t tmpfs none /mnt
  for directory in /etc /usr/local/lib /var/lib; do
    mkdir -p /mnt/{before,after,work}$directory
    mount --bind $directory /mnt/before$directory
    mount -t overlay none -o "lowerdir=/mnt/before$directory,upperdir=/mnt/after$directory,workdir=/mnt/work$directory" $directory
  done
  TAKEN=$(listen_lines_to_take)
  release_ports "$INSTANCE_PORTS"
  SET_PORTS=$INSTANCE_PORTS SET_CIDRS=$TRUSTED_CIDRS SET_ALB_CIDRS=$ALB_CIDRS SET_HEALTH_PORT=$HEALTH_PORT
  take_over
  write_files
  write_listen_lines wanted_kind
  find /mnt/after/etc /mnt/after/usr -type f | LC_ALL=C sort | while read -r file; do
    file=${file#/mnt/after}
    if [ ! -e "/mnt/before$file" ]; then
      say "new: $file, $(wc -l <"$file") lines"
    elif [ "$file" = $LIBRARY/receiver ] && ! cmp -s "/mnt/before$file" "$file"; then
      say "changed: $file"
    else
      diff -U0 --label "$file" --label "$file" "/mnt/before$file" "$file" || true
    fi
  done
}

# ---------------------------------------------------------------------------------------------------------------------
# The chat service

install_chat() {
  [ "$CHAT_WANTED" = On ] || return 0
  local release=$CHAT/$CHAT_ARTIFACT_SHA256
  if [ ! -d "$release" ]; then
    local archive
    archive=$(mktemp)
    case $CHAT_ARTIFACT_URL in
      s3://*)
        aws s3 cp --only-show-errors "$CHAT_ARTIFACT_URL" "$archive" || fail ERR_CHAT_ARTIFACT "$CHAT_ARTIFACT_URL cannot be fetched; check the instance role's s3:GetObject"
        ;;
      *) curl --fail --silent --show-error --location --max-time 300 --retry 3 --output "$archive" "$CHAT_ARTIFACT_URL" ||
        fail ERR_CHAT_ARTIFACT "$CHAT_ARTIFACT_URL cannot be fetched from this instance; check its network and the bucket's policy" ;;
    esac
    # Before anything of it is unpacked, let alone run.
    if [ "$(sha256sum <"$archive")" != "$CHAT_ARTIFACT_SHA256  -" ]; then
      rm -f "$archive"
      fail ERR_CHAT_ARTIFACT "what $CHAT_ARTIFACT_URL gave does not have the SHA-256 that was announced; nothing of it was unpacked"
    fi
    mkdir -p "$release.new"
    tar -xzf "$archive" -C "$release.new" --no-same-owner
    rm -f "$archive"
    mv "$release.new" "$release"
  fi
  if [ "$(readlink $CHAT/current 2>/dev/null)" = "$release" ] && systemctl is-active --quiet proxyflip-chat.service; then return 0; fi
  ln -sfn "$release" $CHAT/current
  CHANGED=yes
  # systemd holds the service's ports, so that nobody is refused while an upgrade restarts it.
  put /etc/systemd/system/proxyflip-chat.service <"$release/proxyflip-chat.service"
  put /etc/systemd/system/proxyflip-chat.socket <"$release/proxyflip-chat.socket"
  systemctl daemon-reload
  systemctl enable --quiet proxyflip-chat.service proxyflip-chat.socket
  if ! systemctl is-active --quiet proxyflip-chat.socket; then
    # A service of before that has the ports itself gives them up once.
    systemctl stop proxyflip-chat.service
    systemctl start proxyflip-chat.socket
  fi
  systemctl restart proxyflip-chat.service || fail ERR_CHAT_START "the chat service does not start: $(journalctl -u proxyflip-chat.service -n 3 -o cat | tr '\n' ' ')"
  local limit=$((SECONDS + 30))
  until [ "$(curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' http://127.0.0.1:8000/healthz)" = 200 ]; do
    [ $SECONDS -lt $limit ] || fail ERR_CHAT_START "the chat service is not ready after 30 s: $(journalctl -u proxyflip-chat.service -n 3 -o cat | tr '\n' ' ')"
    sleep 0.2
  done
}

# ---------------------------------------------------------------------------------------------------------------------
# Uninstall: the host as it was found

uninstall() {
  if [ "$SET_MODE" = none ]; then
    say 'nothing is installed'
    return
  fi
  [ "$SET_MODE" = plain ] || fail ERR_STILL_SWITCHED "the receiver is in mode $SET_MODE; run the switch with direction disable first, then uninstall"
  systemctl disable --now --quiet "${UNITS[@]}" proxyflip-chat.socket proxyflip-chat.service 2>/dev/null || true
  rm -rf $NGINX /etc/nginx/conf.d/proxyflip.conf /etc/systemd/system/nginx.service.d/proxyflip.conf /etc/tmpfiles.d/proxyflip.conf
  rmdir --ignore-fail-on-non-empty /etc/systemd/system/nginx.service.d 2>/dev/null || true
  rm -f /etc/systemd/system/proxyflip-*
  if [ -e $KEPT/originals/sites-enabled-default ]; then mv $KEPT/originals/sites-enabled-default /etc/nginx/sites-enabled/default; fi
  give_back
  systemctl daemon-reload
  nginx -t -q && reload_and_wait
  rm -rf $SETTINGS $KEPT $LIBRARY $CHAT $RUN /run/proxyflip-health /run/proxyflip.lock
  SET_MODE=none CHANGED=yes
  report plain
}

# ---------------------------------------------------------------------------------------------------------------------

# One at a time on an instance. The timer gives way instead of waiting.
lock() { # seconds
  exec 9>/run/proxyflip.lock
  flock --wait "$1" 9
}

case ${1:-} in
  boot) load_settings && boot ;;
  clear-sockets) clear_sockets ;;
  assert) if lock 0; then load_settings && assert_mode; fi ;;
  rehearse-files) read_request && load_settings && rehearse_files ;;
  '')
    read_request
    # As long as an installation on a slow mirror, which a Join may be at; less for what is asked again anyway.
    lock "$([ "$OPERATION" = Measure ] && echo 60 || echo 840)" ||
      fail ERR_BUSY 'another run of proxyflip has held this instance all the time that this one could wait; wait for it to end, then run again'
    load_settings
    case $OPERATION in
      SetMode) set_mode ;;
      Join) join ;;
      Measure) measure ;;
      Status) status ;;
      Plan) plan ;;
      Uninstall) uninstall ;;
      *) fail ERR_INVALID_PARAMETER "parameter Operation has the value '$OPERATION'; it is SetMode, Join, Measure, Status, Plan or Uninstall" ;;
    esac
    ;;
  *) fail ERR_INVALID_PARAMETER "unknown word '$1'; systemd calls this with boot, clear-sockets or assert" ;;
esac
