// The token of an invitation stands behind # in its link, which no server and no log sees. It is taken out of the address bar before
// anything else is done with the address, and is sent in one request alone: the one that takes the invitation.
let token: string | null = null;

/** Takes the token out of the address, if there is one. */
function take(): void {
  if (location.pathname.replace(/\/+$/, "") !== "/welcome" || location.hash.length < 2) return;
  token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
}
take();

/** The token that the page came with. */
export function invitation(): string | null {
  return token;
}

/** Calls back where another link is opened in this page. */
export function onInvitation(came: () => void): () => void {
  const changed = () => {
    const before = token;
    take();
    if (token !== before) came();
  };
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}

/** Forgets the token, which has been used. */
export function usedInvitation(): void {
  token = null;
}
