// The provinces of one period as a figure: tiles, the table behind them, where it is from, what to do with it.
import type { Data, Definition } from "../lib/api";
import type { Point } from "../lib/cells";
import { useEdition } from "../lib/edition";
import { dataUrl } from "../lib/route";
import { sqlOf } from "../lib/sql";
import { codeName, useWords } from "../lib/words";
import type { Key } from "../messages";
import { Figure } from "./figure";
import { CategoryTable } from "./tables";
import { Tiles } from "./tiles";

interface Props {
  definition: Definition;
  title: string;
  data: Data;
  /** The cells of one period, each with its own province. */
  points: Point[];
  /** The filters of these cells, the period among them. */
  filters: Record<string, string | null>;
  selected?: string | null;
  choose: (code: string) => void;
}

export function Provinces({ definition, title, data, points, filters, selected = null, choose }: Props) {
  const words = useWords();
  const { asked } = useEdition();
  const dimension = definition.dimensions.find((d) => d.name === "province");
  const at = new Map(points.map((p) => [p.codes.province ?? "", p]));
  const codes = ["_T", ...(dimension?.codes ?? []).map((c) => c.code)].filter((code) => at.has(code));
  const name = (code: string) => (code === "_T" ? words.t("tiles.national") : code === "_X" ? words.t("tiles.unknown") : codeName(definition, "province", code, words.lang));
  const entries = codes.flatMap((code) => {
    const point = at.get(code);
    return point ? [{ name: name(code), point }] : [];
  });
  const source = { ...filters, province: null };
  return (
    <Figure
      title={title}
      unit={words.t(`unit.${points[0]?.unit || definition.unit}` as Key)}
      url={dataUrl(definition.id, source, asked)}
      data={data}
      sql={sqlOf(definition.id, ["time_period", "province"], source, asked)}
      picture={<Tiles title={title} points={at} names={new Map(codes.map((c) => [c, name(c)]))} selected={selected} choose={choose} />}
      table={<CategoryTable caption={title} head={dimension ? words.of(dimension.title) : "province"} entries={entries} />}
      rows={entries.length}
    />
  );
}
