// Pages that are loaded when they are gone to. The library has this in `preact/compat`, which is heavier than what it does here.
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useWords } from "./words";

/** A component that is fetched at its first use, or when it is known that it will be used. */
export type Lazy<P> = FunctionComponent<P> & { begin?: () => void };

/** A component that is fetched at its first use. */
export function lazy<P extends object>(load: () => Promise<FunctionComponent<P>>): Lazy<P> {
  let ready: FunctionComponent<P> | null = null;
  let loading: Promise<FunctionComponent<P>> | null = null;
  const fetched = () => (loading ??= load());
  const lazily: Lazy<P> = function Lazily(props: P) {
    const { t } = useWords();
    const [Body, setBody] = useState<FunctionComponent<P> | null>(() => ready);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      let current = true;
      if (!Body) {
        fetched().then(
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
  lazily.begin = () => void fetched().catch(() => {});
  return lazily;
}
