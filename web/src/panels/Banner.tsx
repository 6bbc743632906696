import { useEffect } from "react";

import { loginUrl } from "../api/client";
import { Icon } from "../look/Icon";
import { useEditor } from "../state/store";
import { say, sayError } from "../words";

const SECONDS = 6;

/** That the server is away or back, or why a request failed: a line of its own, over nothing. */
export function Banner() {
  const connection = useEditor((state) => state.connection);
  const isSignedOut = useEditor((state) => state.isSignedOut);
  const isBack = useEditor((state) => state.isBack);
  const hasten = useEditor((state) => state.hasten);
  const settle = useEditor((state) => state.settle);
  useEffect(() => {
    if (!isBack) return undefined;
    const timer = setTimeout(settle, SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [isBack, settle]);
  if (isSignedOut) {
    return (
      <div className="banner warning" role="alert">
        <Icon name="warning" small />
        <span>{say("banner.signedOut")}</span>
        <a className="button" href={loginUrl(location.pathname + location.search)}>
          {say("banner.signIn")}
        </a>
        <button type="button" className="button" onClick={hasten}>
          {say("banner.retry")}
        </button>
      </div>
    );
  }
  if (connection === "lost") {
    return (
      <div className="banner warning" role="alert">
        <Icon name="warning" small />
        <span>{say("banner.lost")}</span>
        <button type="button" className="button" onClick={hasten}>
          {say("banner.retry")}
        </button>
      </div>
    );
  }
  if (isBack) {
    return (
      <div className="banner good" role="status">
        <Icon name="check" small />
        <span>{say("banner.back")}</span>
      </div>
    );
  }
  return <Notice />;
}

function Notice() {
  const notice = useEditor((state) => state.notice);
  const dismiss = useEditor((state) => state.dismissNotice);
  if (notice === null) return null;
  return (
    <div className="banner error" role="alert">
      <Icon name="error" small />
      <span>{sayError(notice)}</span>
      <button
        type="button"
        className="icon-button"
        aria-label={say("banner.dismiss")}
        onClick={dismiss}
      >
        <Icon name="close" small />
      </button>
    </div>
  );
}
