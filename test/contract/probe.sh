#!/bin/bash
# What an instance of the contract tests is: it tells whoever connects what it has read, and remembers it. As user data it runs on
# Amazon Linux 2023 in an account and on Debian in the rehearsal, with nothing installed: systemd accepts, bash reads and answers.
#
#   HELLO   → SEEN <peer> <the PROXY line, with _ for blanks, or ->    and then PONG for each line
#   LOG     → one line for each connection: seconds since 1970, peer, PROXY line or -, and the first word: TLS for a handshake
#   FACTS   → name=value lines about the system
#   GET …   → 200
set -euo pipefail

cat >/usr/local/bin/contract-probe <<'PROBE'
#!/bin/bash
proxy=- line=
# A health check may say nothing at all: the end of its connection ends the wait.
IFS= read -r -t 30 line
line=${line%$'\r'}
if [[ $line == 'PROXY '* ]]; then
  proxy=${line// /_} line=
  IFS= read -r -t 30 line
  line=${line%$'\r'}
fi
word=${line%% *}
[[ $line == $'\x16\x03'* ]] && word=TLS
printf '%s %s %s %s\n' "$EPOCHREALTIME" "$REMOTE_ADDR" "$proxy" "${word//[^[:alnum:]]/?}" >>/run/contract-probe.log
case $word in
  HELLO)
    printf 'SEEN %s %s\n' "$REMOTE_ADDR" "$proxy"
    while IFS= read -r line; do printf 'PONG %s\n' "$line"; done
    ;;
  LOG) cat /run/contract-probe.log ;;
  FACTS)
    . /etc/os-release
    # By loading the module, or where it cannot be loaded from here, by a rule that needs it.
    rule='table ip contract { chain c { type filter hook prerouting priority mangle; tcp dport 1 tproxy to 127.0.0.1:1 accept; }; }'
    if modprobe nft_tproxy 2>/dev/null || nft -c "$rule" 2>/dev/null; then tproxy=yes; else tproxy=no; fi
    printf 'system=%s\nkernel=%s\nnft_tproxy=%s\nselinux=%s\nagent=%s\n' "$PRETTY_NAME" "$(uname -r)" "$tproxy" \
      "$(getenforce 2>/dev/null || echo none)" "$(rpm -q --qf '%{VERSION}' amazon-ssm-agent 2>/dev/null || echo none)"
    ;;
  GET)
    # A request that is not read to its end would be answered with a reset.
    while IFS= read -r -t 5 line && [[ $line != $'\r' ]]; do :; done
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
    ;;
esac
PROBE
chmod 0755 /usr/local/bin/contract-probe

cat >/etc/systemd/system/contract-probe.socket <<'UNIT'
[Socket]
ListenStream=0.0.0.0:18090
ListenStream=0.0.0.0:18091
Accept=yes
MaxConnections=1000
TriggerLimitBurst=0
UNIT
cat >/etc/systemd/system/contract-probe@.service <<'UNIT'
[Unit]
CollectMode=inactive-or-failed
[Service]
ExecStart=-/usr/local/bin/contract-probe
StandardInput=socket
StandardError=null
UNIT
systemctl daemon-reload
systemctl start contract-probe.socket
# In an account it ends itself after two hours, whatever became of the test; a rehearsal's machine is gone long before.
systemd-run --on-active=2h --timer-property=AccuracySec=1s systemctl poweroff
