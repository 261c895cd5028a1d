/**
 * TypeScript, as ts-morph ships it; not the one that the user has installed. It is CommonJS, and
 * only it and `lib-files.cts` name ts-morph, since Node reads nine megabytes twice if an ES module
 * imports them: once to find the names of their exports.
 */
import morph = require("ts-morph");
import ts = morph.ts;

export = ts;
