// The page of an agency at its own door: what was received, what was set aside and why, how good its feed is, and a place to check a file.
import { render } from "preact";
import { Door } from "./agency/door";
import "./style/base.css";
import "./style/parts.css";
import "./style/people.css";
import "./style/agency.css";

const root = document.getElementById("app");
if (root) render(<Door />, root);
