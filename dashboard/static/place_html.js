// What the Place tab is made of.

export const HTML = `
<div class="place-top">
  <label>Mouse <select id="place-mouse"></select></label>
  <span id="place-about"></span>
  <button id="place-preview" type="button" data-draft>Start preview</button>
  <div class="place-save" data-draft role="group" aria-label="Unsaved changes">
    <span id="place-unsaved" role="status"></span>
    <button id="place-undo" type="button" aria-keyshortcuts="Control+Z">Undo</button>
    <button id="place-redo" type="button" aria-keyshortcuts="Control+Y">Redo</button>
    <button id="place-discard" type="button">Discard</button>
    <button id="place-save" type="button" class="primary" aria-keyshortcuts="Control+S">Save …</button>
  </div>
</div>
<ul id="place-problems" class="error" role="alert"></ul>
<div class="place-body" data-draft>
  <div class="place-card">
    <div class="place-tools" role="toolbar" aria-label="Tools">
      <button id="place-select" type="button" data-tool="select" aria-keyshortcuts="V">Choose <kbd>V</kbd></button>
      <button id="place-rect" type="button" data-tool="rect" data-imaging
        aria-keyshortcuts="R">Rectangle <kbd>R</kbd></button>
      <button id="place-circle" type="button" data-tool="circle" data-imaging
        aria-keyshortcuts="C">Circle <kbd>C</kbd></button>
      <button id="place-polygon" type="button" data-tool="polygon" data-imaging
        aria-keyshortcuts="G">Polygon <kbd>G</kbd></button>
      <span class="place-shows">
        <label><input id="place-show-grid" type="checkbox"> Grid</label>
        <label data-imaging><input id="place-show-seeds" type="checkbox"> Seeds</label>
        <label><input id="place-show-marks" type="checkbox" checked> Saturation</label>
        <label>Zoom <select id="place-zoom"><option value="1">1×</option><option value="2">2×</option>
          <option value="4">4×</option></select></label>
      </span>
    </div>
    <div class="place-frame" id="place-frame"><div class="place-sheet">
      <canvas id="place-picture" aria-hidden="true"></canvas>
      <img id="place-overlay" alt="" hidden>
      <img id="place-marks" alt="" hidden>
      <svg id="place-stage" tabindex="0" role="application" aria-label="Picture with regions of interest"
        aria-describedby="place-hint"></svg>
    </div></div>
    <p class="place-foot"><span id="place-source"></span>
      <span id="place-legend" hidden>striped:<span style="--mark: #d55e00">saturated</span><span
        style="--mark: #56b4e9">dark</span></span>
      <span id="place-cursor"></span></p>
    <p id="place-hint" class="place-hint" role="status"></p>
  </div>
  <div class="place-panel">
    <section class="place-card" aria-labelledby="place-rois-title">
      <h2 id="place-rois-title">Regions of interest</h2>
      <ul id="place-rois"></ul>
      <div data-imaging class="place-row">
        <label>Add a seed <select id="place-seed"></select></label>
        <button id="place-add-seed" type="button">Add</button>
      </div>
    </section>
    <section class="place-card" id="place-chosen" aria-label="Chosen shape" hidden>
      <div class="place-row">
        <label>Name <input id="place-name" maxlength="32" size="14" autocomplete="off" spellcheck="false"></label>
        <span id="place-kind"></span>
      </div>
      <p id="place-name-problem" class="error" role="alert"></p>
      <p id="place-roi-problem" class="error" role="alert"></p>
      <div id="place-numbers"></div>
      <table id="place-points" hidden><thead><tr><th scope="col"></th><th scope="col">x, px</th>
        <th scope="col">y, px</th><th scope="col">ML, mm</th><th scope="col">AP, mm</th>
        <th scope="col" colspan="2"></th></tr></thead><tbody></tbody></table>
      <div class="place-row" data-imaging>
        <button id="place-use" type="button">Use as signal</button>
        <button id="place-mirror" type="button" aria-keyshortcuts="M" title="M">Mirror</button>
        <button id="place-copy" type="button" aria-keyshortcuts="D" title="D">Copy</button>
        <button id="place-delete" type="button" class="danger" aria-keyshortcuts="Delete">Delete</button>
      </div>
    </section>
    <details class="place-card" open><summary>Signal and cortex</summary><div id="place-keys"></div></details>
    <details class="place-card" id="place-first"><summary>First day's picture</summary>
      <p id="place-first-about" class="place-hint"></p>
      <div id="place-first-controls">
        <label class="place-row">Shown <input id="place-opacity" type="range" min="0" max="100" value="0" step="5">
          <output id="place-opacity-text">0 %</output></label>
        <div class="place-row">
          <label>Right <input id="place-shift-x" type="number" step="0.5" value="0"> px</label>
          <label>Down <input id="place-shift-y" type="number" step="0.5" value="0"> px</label>
          <label>Turn <input id="place-rotation" type="number" step="0.1" min="-180" max="180" value="0"> °</label>
        </div>
        <div class="place-row">
          <button id="place-drag-first" type="button" data-tool="first">Shift by hand</button>
          <button id="place-blink" type="button" aria-pressed="false" aria-keyshortcuts="B">Blink <kbd>B</kbd></button>
          <button id="place-reset" type="button">Reset</button>
        </div>
        <div class="place-row">
          <button id="place-measure" type="button">Measure</button>
          <button id="place-move-all" type="button">Move all ROIs by this much</button>
        </div>
        <p id="place-measured" role="status"></p>
      </div>
    </details>
    <details class="place-card" id="place-exposure"><summary>Exposure and gain</summary>
      <div id="place-camera"></div>
      <p id="place-camera-hint" class="place-hint"></p>
      <div class="place-row"><span id="place-advice"></span>
        <button id="place-take-advice" type="button" hidden>Take these values</button></div>
      <table id="place-exposures"><thead><tr><th scope="col">ROI</th><th scope="col">Channel</th>
        <th scope="col">Mean</th>
        <th scope="col">At the top</th><th scope="col">Verdict</th></tr></thead><tbody></tbody></table>
      <p id="place-lost" class="place-hint"></p>
    </details>
    <details class="place-card" id="place-scale-box"><summary>Pixels per mm</summary>
      <div class="place-row">
        <button id="place-scale" type="button" data-tool="scale">Two points</button>
        <label>are <input id="place-mm" type="number" min="0.001" step="any" size="6" value="5"> mm apart</label>
      </div>
      <p id="place-scale-text" role="status"></p>
      <button id="place-take-scale" type="button" disabled>Take it as ppmm</button>
    </details>
  </div>
</div>
<dialog id="place-dialog" aria-labelledby="place-dialog-title">
  <form method="dialog">
    <h2 id="place-dialog-title">Save</h2>
    <div class="place-scroll"><table><thead><tr><th scope="col">Key</th><th scope="col">Now</th>
      <th scope="col">Then</th></tr></thead><tbody id="place-diff"></tbody></table></div>
    <ul id="place-dialog-problems" class="error" role="alert"></ul>
    <p id="place-dialog-who" class="place-hint"></p>
    <div class="place-row">
      <button id="place-confirm" type="button" class="primary">Save</button>
      <button id="place-cancel" value="cancel">Cancel</button>
    </div>
  </form>
</dialog>`;
