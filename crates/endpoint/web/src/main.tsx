// First, so that nothing else sees an address with an invitation in it.
import "./lib/invitation";
import { render } from "preact";
import { App, beginPage } from "./app";
import { begin } from "./lib/begin";
import "./style/base.css";
import "./style/parts.css";
import "./style/charts.css";
import "./style/sql.css";
import "./style/print.css";

begin();
beginPage();
const root = document.getElementById("app");
if (root) render(<App />, root);

// On paper there is nothing to unfold: tables that fit are printed open.
addEventListener("beforeprint", () => {
  document.querySelectorAll<HTMLDetailsElement>("details.behind").forEach((d) => {
    if (d.querySelectorAll("tr").length <= 40) d.open = true;
  });
});
