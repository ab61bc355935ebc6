/*
 * What to do when a window holds nothing: look further back, or send a first request.
 */
import { describeWindow, type TimeWindow } from '../state/time-window.js';

type Props = { readonly window: TimeWindow; readonly onWindow: (window: TimeWindow) => void };

const FIRST_REQUEST = `curl "$COLLECTOR/v1/request-logs" \\
  -H "Authorization: Bearer $WRITE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '[{"time":"'"$(date -u +%FT%TZ)"'","sdk_app_id":1400000001,
       "interface":"openim/sendmsg","exit_ip":"203.0.113.7",
       "latency_ms":12.5,"code":0,"http_status":200}]'`;

export function FirstRequestHelp({ window, onWindow }: Props) {
  return (
    <>
      <h2>No requests in this window</h2>
      <p>
        Nothing is stored for this window ({describeWindow(window, Date.now()).toLowerCase()}). Look further
        back, or send a first request to the collector: it shows here about a second later.
      </p>
      <p className="actions">
        <button
          type="button"
          className="button"
          onClick={() => {
            onWindow({ from: 'now-24h', to: 'now' });
          }}
        >
          Last 24 hours
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            onWindow({ from: 'now-7d', to: 'now' });
          }}
        >
          Last 7 days
        </button>
      </p>
      <pre>{FIRST_REQUEST}</pre>
      <p className="quiet">
        A gateway's access log goes in with <code>npx imscope send access.log --format nginx</code>.
      </p>
    </>
  );
}
