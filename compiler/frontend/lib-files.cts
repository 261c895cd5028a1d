/** The texts of TypeScript's libraries, which ts-morph holds as strings. CommonJS: see `typescript.cts`. */
import common = require("@ts-morph/common");

export = common.getLibFiles;
