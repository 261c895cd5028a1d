/** What an editor's TypeScript loads: plugins are CommonJS, and named by their package alone. */
import service = require("./language-service.js");

interface Plugin {
  create(info: service.EditorPlugin): service.EditorService;
}

function init({ typescript }: { readonly typescript: service.EditorTypeScript }): Plugin {
  return { create: (info) => service.decorate(typescript, info) };
}

export = init;
