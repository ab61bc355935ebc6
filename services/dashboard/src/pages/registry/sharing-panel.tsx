/*
 * Every sharing of an application's details with the audio/video service, from its beginning to its end.
 */
import { useRegistry } from '../../api/use-registry.js';
import { LocalTime } from '../../parts/local-time.js';
import { Failure, Skeleton } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';

const words = registryTexts.sharing;

export function SharingPanel({ sdkAppId }: { readonly sdkAppId: number }) {
  const state = useRegistry('listSharings', { params: { sdk_app_id: sdkAppId } });
  const { answer, error } = state;
  return (
    <section id="sharing" className="panel" aria-label={words.title} data-testid="sharing">
      <header className="panel-head">
        <h2>{words.title}</h2>
      </header>
      {error !== null && <Failure error={error} state={state} />}
      {answer === null
        ? error === null && <Skeleton rows={2} />
        : answer.sharings.length === 0 && <p className="quiet">{words.off}</p>}
      {answer !== null && answer.sharings.length > 0 && (
        <div className="scroll-x">
          <table>
            <thead>
              <tr>
                {[
                  words.requested,
                  words.shared,
                  words.endRequested,
                  words.ended,
                  words.attempts,
                  words.lastError,
                ].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {answer.sharings.map((one) => (
                <tr key={one.id}>
                  <td>
                    <Time at={one.requested_at} />
                  </td>
                  <td>
                    <Time at={one.shared_at} />
                  </td>
                  <td>
                    <Time at={one.end_requested_at} />
                  </td>
                  <td>
                    <Time at={one.ended_at} />
                  </td>
                  <td>{one.attempts}</td>
                  <td className="reason">{one.last_error}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <span className="quiet">{words.waiting}</span>;
  return <LocalTime at={at} nowMs={Date.now()} />;
}
