// What a reader sees first is drawn first.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** What comes after it is a task of its own, before which the page answers its reader. */
export const task = () => new Promise<void>((done) => setTimeout(done));

/** A part of a page that is made in a task of its own, after what comes before it, so that the page answers its reader between them. */
export function Later({ children }: { children: ComponentChildren }) {
  const [now, setNow] = useState(false);
  useEffect(() => {
    const soon = setTimeout(() => setNow(true));
    return () => clearTimeout(soon);
  }, []);
  return <>{now && children}</>;
}
