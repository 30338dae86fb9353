/** The module `media.js`, which a board loads when it first has media; an exported page holds it as a script. */
import { MediaPanel } from "./media-panel.ts";
import type { MediaModule } from "./media-types.ts";
import { answerMedia } from "./page-answers.ts";

export const openPanel: MediaModule["openPanel"] = (shell, context) => new MediaPanel(shell, context);
export const answerFromPage: MediaModule["answerFromPage"] = answerMedia;

const media: MediaModule = { openPanel, answerFromPage };
Object.assign(globalThis, { trackbookMedia: media });
