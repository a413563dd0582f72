// A LLaMA with LoRA, forward only: what src/Model computes, in plain loops, for one token at a time.
(() => {
  const data = JSON.parse(document.getElementById("page-data").textContent);
  const shape = data.model;
  const headDim = shape.head_dim;
  const group = shape.heads / shape.key_value_heads;

  // bf16 is the upper half of a float.
  const floats = (base64) => {
    const bytes = atob(base64);
    const bits = new Uint32Array(bytes.length / 2);
    for (let i = 0; i < bits.length; i++) {
      bits[i] = (bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8) << 16;
    }
    return new Float32Array(bits.buffer);
  };

  const weights = new Map();
  {
    const all = floats(data.weights);
    let at = 0;
    for (const { name, rows, columns } of data.tensors) {
      weights.set(name, { values: all.subarray(at, at += rows * columns), rows, columns });
    }
  }

  const adapters = new Map();
  const adapterOf = (arm) => {
    const stored = data.adapters.find((adapter) => adapter.arm === arm);
    if (stored && !adapters.has(arm)) {
      const all = floats(stored.weights);
      const pairs = new Map();
      let at = 0;
      for (const { module, rank, scale } of stored.pairs) {
        const { rows, columns } = weights.get(module + ".weight");
        const a = { values: all.subarray(at, at += rank * columns), rows: rank, columns };
        const b = { values: all.subarray(at, at += rows * rank), rows, columns: rank };
        pairs.set(module, { a, b, scale });
      }
      adapters.set(arm, pairs);
    }
    return adapters.get(arm);
  };

  // y = W x
  const times = ({ values, rows, columns }, x) => {
    const y = new Float32Array(rows);
    for (let i = 0, at = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < columns; j++, at++) {
        sum += values[at] * x[j];
      }
      y[i] = sum;
    }
    return y;
  };

  // y = W x + strength · scale · B (A x)
  const linear = (module, x, pairs, strength) => {
    const y = times(weights.get(module + ".weight"), x);
    const pair = strength === 0 ? undefined : pairs?.get(module);
    if (pair) {
      const update = times(pair.b, times(pair.a, x));
      for (let i = 0; i < y.length; i++) {
        y[i] += strength * pair.scale * update[i];
      }
    }
    return y;
  };

  // y = x / √(mean x² + ε) · g
  const normed = (name, x) => {
    const gain = weights.get(name).values;
    let sum = 0;
    for (const value of x) {
      sum += value * value;
    }
    const scale = 1 / Math.sqrt(sum / x.length + shape.rms_norm_epsilon);
    return x.map((value, i) => value * scale * gain[i]);
  };

  // Turns each pair (i, i + d/2) of a head by position · θ^(−2i/d).
  const rotate = (x, position) => {
    const half = headDim / 2;
    for (let start = 0; start < x.length; start += headDim) {
      for (let i = 0; i < half; i++) {
        const angle = position * Math.pow(shape.rope_theta, -2 * i / headDim);
        const [cos, sin, a, b] = [Math.cos(angle), Math.sin(angle), x[start + i], x[start + i + half]];
        x[start + i] = a * cos - b * sin;
        x[start + i + half] = a * sin + b * cos;
      }
    }
  };

  const softmax = (x) => {
    const most = x.reduce((a, b) => Math.max(a, b), -Infinity);
    const e = Array.from(x, (value) => Math.exp(value - most));
    const sum = e.reduce((a, b) => a + b, 0);
    return e.map((value) => value / sum);
  };

  // Reads one token after those in the cache; returns the logits of the next.
  const read = (id, cache, pairs, strength) => {
    const position = cache.length++;
    const embedding = weights.get("model.embed_tokens.weight");
    const x = embedding.values.slice(id * shape.hidden, (id + 1) * shape.hidden);
    for (let layer = 0; layer < shape.layers; layer++) {
      const at = "model.layers." + layer;
      const into = (name, h) => linear(at + name, h, pairs, strength);
      const add = (y) => y.forEach((value, i) => { x[i] += value; });

      let h = normed(at + ".input_layernorm.weight", x);
      const [q, k, v] = ["q", "k", "v"].map((name) => into(".self_attn." + name + "_proj", h));
      rotate(q, position);
      rotate(k, position);
      const kept = cache.layers[layer] ??= { keys: [], values: [], attention: [] };
      kept.keys.push(k);
      kept.values.push(v);
      const mixed = new Float32Array(q.length);
      kept.attention.push(Array.from({ length: shape.heads }, (_, head) => {
        const [own, shared] = [head * headDim, Math.floor(head / group) * headDim];
        const scores = kept.keys.map((key) => {
          let sum = 0;
          for (let i = 0; i < headDim; i++) {
            sum += q[own + i] * key[shared + i];
          }
          return sum / Math.sqrt(headDim);
        });
        const shares = softmax(scores);
        shares.forEach((share, t) => {
          for (let i = 0; i < headDim; i++) {
            mixed[own + i] += share * kept.values[t][shared + i];
          }
        });
        return shares;
      }));
      add(into(".self_attn.o_proj", mixed));

      h = normed(at + ".post_attention_layernorm.weight", x);
      const gate = into(".mlp.gate_proj", h);
      const up = into(".mlp.up_proj", h);
      add(into(".mlp.down_proj", gate.map((g, i) => g / (1 + Math.exp(-g)) * up[i])));
    }
    return times(weights.get("lm_head.weight") ?? embedding, normed("model.norm.weight", x));
  };

  const { pieces, merges, begin } = data.tokenizer;
  const idOf = new Map(pieces.map((piece, id) => [piece, id]));
  const rankOf = new Map(merges.map((merge, rank) => [merge, rank]));
  const byteName = (byte) => "<0x" + byte.toString(16).toUpperCase().padStart(2, "0") + ">";

  // Byte-pair encoding: the pair that was learned first is merged first, and leftmost.
  const encode = (text) => {
    const parts = [...(text ? "\u2581" + text.replaceAll(" ", "\u2581") : "")].flatMap((c) =>
      idOf.has(c) ? [c] : Array.from(new TextEncoder().encode(c), byteName));
    for (;;) {
      let [best, place] = [Infinity, -1];
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = rankOf.get(parts[i] + " " + parts[i + 1]) ?? Infinity;
        if (rank < best) {
          [best, place] = [rank, i];
        }
      }
      if (place < 0) {
        break;
      }
      parts.splice(place, 2, parts[place] + parts[place + 1]);
    }
    return [...(begin === undefined ? [] : [begin]), ...parts.map((part) => idOf.get(part))];
  };
  const prompt = (request) => encode(data.template.before + request + data.template.after);

  // Characters that hide or rearrange text are shown by their number.
  const shown = (piece) => piece.replaceAll("\u2581", "\u2423").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu,
    (c) => "\u27e8U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "\u27e9");

  const newCache = () => ({ length: 0, layers: [] });
  const largest = (x) => x.reduce((best, value, i) => value > x[best] ? i : best, 0);

  // For readers with a console, and for tests.
  window.safellama = {
    ids: prompt,
    logits: (ids, arm, strength) => {
      const cache = newCache();
      return ids.map((id) => Array.from(read(id, cache, adapterOf(arm), strength)));
    },
  };

  const section = document.getElementById("live");
  const [asking, choosing] = section.querySelectorAll("form");
  const [answer, state] = [section.querySelector(".ribbon"), section.querySelector(".state")];
  const top = section.querySelector(".top");
  let run = 0;
  let attention = null;

  const showTop = (logits, id) => {
    const p = softmax(logits);
    const rows = Array.from(p.keys()).sort((a, b) => p[b] - p[a]).slice(0, 5);
    top.hidden = false;
    top.caption.textContent = "In the place of " + shown(pieces[id]);
    top.tBodies[0].replaceChildren(...rows.map((other) => {
      const row = document.createElement("tr");
      row.insertCell().textContent = shown(pieces[other]);
      row.insertCell().textContent = (100 * p[other]).toFixed(1) + "%";
      return row;
    }));
  };

  const showAttention = () => {
    if (!attention || !section.querySelector(".reading").open) {
      return;
    }
    const { cache, ids } = attention;
    const rows = cache.layers[Number(choosing.elements.layer.value)].attention;
    const head = Number(choosing.elements.head.value);
    const table = section.querySelector("table.attention");
    const th = (text, scope) => {
      const cell = document.createElement("th");
      cell.scope = scope;
      cell.append(Object.assign(document.createElement("span"), { textContent: shown(text) }));
      return cell;
    };
    const heads = document.createElement("tr");
    heads.append(document.createElement("td"), ...ids.map((id) => th(pieces[id], "col")));
    table.tHead.replaceChildren(heads);
    table.tBodies[0].replaceChildren(...ids.map((id, i) => {
      const row = document.createElement("tr");
      row.append(th(pieces[id], "row"), ...rows[i][head].map((share) => {
        const cell = document.createElement("td");
        cell.className = "heat";
        cell.style.setProperty("--v", share.toFixed(2));
        cell.textContent = (100 * share).toFixed(0);
        return cell;
      }));
      return row;
    }));
  };

  // Answers anew; an answer that is still being written is given up.
  const respond = async () => {
    const mine = ++run;
    const strength = Number(asking.elements.scale.value);
    asking.elements.at.textContent = strength;
    const pairs = adapterOf(asking.elements.arm.value);
    const ids = prompt(asking.elements.request.value.trim());
    answer.replaceChildren();
    top.hidden = true;
    if (ids.length + shape.max_new_tokens > shape.max_positions) {
      state.textContent = `${ids.length} tokens: the model reads ${shape.max_positions - shape.max_new_tokens}.`;
      return;
    }
    state.textContent = "";
    const cache = newCache();
    let logits;
    const go = async (id, i) => {
      logits = read(id, cache, pairs, strength);
      if (i % 8 === 7) {
        await new Promise((resolve) => { setTimeout(resolve); });
      }
      return mine === run;
    };
    for (let i = 0; i < ids.length; i++) {
      if (!await go(ids[i], i)) {
        return;
      }
    }
    attention = { cache: { layers: cache.layers.map((kept) => ({ attention: kept.attention.slice() })) }, ids };
    showAttention();
    for (let i = 0; i < shape.max_new_tokens; i++) {
      const [id, held] = [largest(logits), logits];
      if (shape.end_tokens.includes(id)) {
        state.textContent = `${ids.length} tokens read, ${i} written, then the end of the answer.`;
        return;
      }
      const token = document.createElement("button");
      token.type = "button";
      token.textContent = shown(pieces[id]);
      token.addEventListener("click", () => showTop(held, id));
      answer.append(token);
      if (!await go(id, i)) {
        return;
      }
    }
    state.textContent = `${ids.length} tokens read; cut off after ${shape.max_new_tokens}.`;
  };

  for (const [name, count] of [["layer", shape.layers], ["head", shape.heads]]) {
    choosing.elements[name].append(...Array.from({ length: count }, (_, i) => new Option(i, i)));
  }
  asking.addEventListener("input", respond);
  asking.addEventListener("submit", (event) => { event.preventDefault(); respond(); });
  choosing.addEventListener("input", showAttention);
  choosing.addEventListener("submit", (event) => event.preventDefault());
  section.querySelector(".reading").addEventListener("toggle", showAttention);
  section.hidden = false;
  respond();
})();
