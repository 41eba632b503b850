import { browserCases } from './browser-cases.ts';
import { openStage } from './stage.ts';

browserCases(openStage);
