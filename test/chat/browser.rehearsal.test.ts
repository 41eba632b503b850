import { browserCases } from './browser-cases.ts';
import { openLocalStage } from './stage.ts';

browserCases(openLocalStage);
