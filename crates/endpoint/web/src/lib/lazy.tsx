// Pages that are loaded when they are gone to. The library has this in `preact/compat`, which is heavier than what it does here.
import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useWords } from "./words";

/** A component that is fetched at its first use. */
export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let ready: FunctionComponent<P> | null = null;
  return function Lazy(props: P) {
    const { t } = useWords();
    const [Body, setBody] = useState<FunctionComponent<P> | null>(() => ready);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      let current = true;
      if (!Body) {
        load().then(
          (loaded) => {
            ready = loaded;
            if (current) setBody(() => loaded);
          },
          () => current && setFailed(true),
        );
      }
      return () => {
        current = false;
      };
    }, []);
    if (failed) return <p class="trouble" role="alert">{t("error.network")}</p>;
    return Body ? <Body {...props} /> : <p class="loading" role="status">{t("word.loading")}</p>;
  };
}

/** Keeps the place of the page. */
export function Suspense({ children }: { children: ComponentChildren }) {
  return <>{children}</>;
}
