/** What is known of servers' health, carried over a reload. */

export interface ServerHealth {
  readonly isUp: boolean;
  /** HAProxy's counter: successes in a row while down (up to rise), then up to rise + fall - 1. */
  readonly count: number;
}

/** A server whose checks HAProxy makes; those that `track` it follow. */
export interface CheckedServer {
  readonly backend: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly rise: number;
  readonly fall: number;
  readonly health: ServerHealth;
}

/**
 * What a worker starts with, so that a reload neither forgets what is known nor takes a new server for healthy, as HAProxy
 * does: one that has no line here would start "up". Only the checked servers are needed; those that track them follow.
 * Fields: HAProxy management guide, "show servers state", version 1.
 */
export function serverState(servers: readonly CheckedServer[]): string {
  const places = new Map<string, number>();
  const lines = servers.map(({ backend, name, address, port, rise, fall, health: { isUp, count } }) => {
    const place = (places.get(backend) ?? 0) + 1;
    places.set(backend, place);
    const health = isUp ? Math.min(Math.max(count, rise), rise + fall - 1) : Math.min(count, rise - 1);
    const states = isUp ? '2 0 1 1 0 6 3' : '0 0 1 1 0 1 0';
    return `1 ${backend} ${place} ${name} ${address} ${states} ${health} 6 0 0 0 - ${port} - 0 0 - - 0\n`;
  });
  return `1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n${lines.join('')}`;
}
