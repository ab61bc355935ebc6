/*
 * The pages of the registry, for administrators: all applications, or one. Loaded when one is opened.
 */
import { useContext, useEffect } from 'react';
import { Link } from 'wouter';
import { SessionContext } from '../../api/session-context.js';
import { HeaderFrame } from '../../parts/header-frame.js';
import { Empty } from '../../parts/panel.js';
import { registryTexts } from '../../words/registry-texts.js';
import { texts } from '../../words/texts.js';
import { ApplicationEditor } from './application-editor.js';
import { ListPage } from './list-page.js';
import './dialogs.css';
import './registry.css';

/** @param sdkAppId null: the list */
export default function RegistryPages({ sdkAppId }: { readonly sdkAppId: number | null }) {
  const { session } = useContext(SessionContext);
  useEffect(() => {
    scrollTo(0, 0);
    if (sdkAppId === null) document.title = texts.header.title(registryTexts.title);
  }, [sdkAppId]);
  if (session?.scope !== 'admin') return <NotForYou />;
  return sdkAppId === null ? <ListPage /> : <ApplicationEditor sdkAppId={sdkAppId} />;
}

function NotForYou() {
  return (
    <>
      <HeaderFrame home="/" crumbs={<h1 className="here">{registryTexts.title}</h1>} />
      <main className="page" data-testid="registry-refused">
        <Empty>
          <p>{registryTexts.notForYou}</p>
          <p>
            <Link href="/">{registryTexts.toFleet}</Link>
          </p>
        </Empty>
      </main>
    </>
  );
}
