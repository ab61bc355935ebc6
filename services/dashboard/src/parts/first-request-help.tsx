/*
 * What to do when a window holds nothing: look further back, or send a first request.
 */
import { TERM_WINDOW, type TimeWindow } from '../state/time-window.js';
import { texts } from '../words/texts.js';
import { describeWindow } from '../words/window-text.js';

type Props = { readonly window: TimeWindow; readonly onWindow: (window: TimeWindow) => void };

const FIRST_REQUEST = `curl "$COLLECTOR/v1/request-logs" \\
  -H "Authorization: Bearer $WRITE_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '[{"time":"'"$(date -u +%FT%TZ)"'","sdk_app_id":1400000001,
       "interface":"openim/sendmsg","exit_ip":"203.0.113.7",
       "latency_ms":12.5,"code":0,"http_status":200}]'`;
const SEND_ACCESS_LOG = 'npx imscope send access.log --format nginx';

export function FirstRequestHelp({ window, onWindow }: Props) {
  const { firstRequest } = texts;
  return (
    <>
      <h2>{firstRequest.title}</h2>
      <p>{firstRequest.advice(describeWindow(window, Date.now()).toLowerCase())}</p>
      <p className="actions">
        <button
          type="button"
          className="button"
          onClick={() => {
            onWindow({ from: 'now-24h', to: 'now' });
          }}
        >
          {firstRequest.lastDay}
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            onWindow(TERM_WINDOW);
          }}
        >
          {firstRequest.completeTerm}
        </button>
      </p>
      <pre>{FIRST_REQUEST}</pre>
      <p className="quiet">{firstRequest.accessLog(<code>{SEND_ACCESS_LOG}</code>)}</p>
    </>
  );
}
