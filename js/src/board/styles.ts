import charts from "../charts/charts.css";
import compare from "../compare/compare.css";
import interact from "../interact/interact.css";
import runs from "../runs/runs.css";
import ui from "../ui/ui.css";
import board from "./board.css";

/** The stylesheet of a board. Where specificity is equal, the rules of a higher room win. */
export const STYLES = ui + charts + interact + runs + compare + board;
