using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Sequences that grow side by side over one key/value cache.</summary>
/// <remarks>
/// Each prompt is read in a pass of its own, and each row is computed on its own in decoding, so a sequence's numbers
/// do not depend on its neighbors.
/// </remarks>
internal sealed class DecodingBatch : IDisposable
{
    private readonly Llama _model;
    private readonly Workspace _workspace;
    private readonly double[] _logits;
    private readonly int[] _positions;
    private readonly int[] _first;
    private readonly int[] _last;
    private readonly int[] _rows;
    private KeyValueCache _cache;
    private KeyValueCache? _spare;

    /// <param name="sequences">The most sequences at a time.</param>
    /// <param name="promptLength">The longest prompt, in tokens.</param>
    /// <param name="length">The most tokens of a sequence, prompt included.</param>
    public DecodingBatch(Llama model, int sequences, int promptLength, int length)
    {
        if (length > model.MaxLength)
        {
            throw SafeLlamaException.Usage(
                $"Prompt and answer may have {length} tokens, but the model was opened for {model.MaxLength}.",
                "lower `MaxNewTokens`", "shorten the prompt");
        }

        _model = model;
        _cache = new KeyValueCache(model.Backend, model.Config, sequences, length);
        var rows = Math.Max(promptLength, sequences);
        _workspace = new Workspace(model, rows, forBackward: false);
        _logits = new double[sequences * model.Config.VocabularySize];
        (_positions, _first, _last, _rows) = (new int[rows], new int[rows], new int[rows], new int[rows]);
    }

    /// <summary>[V] logits of the row that was read, or of one slot of a step; valid until the next call.</summary>
    public ReadOnlySpan<double> Logits(int row) =>
        _logits.AsSpan(row * _model.Config.VocabularySize, _model.Config.VocabularySize);

    /// <summary>Reads a prompt into a slot; row 0 of the logits predicts the token after its last one.</summary>
    public void Read(int slot, ReadOnlySpan<int> prompt)
    {
        _model.CheckTokens(prompt, "prompt");
        for (var i = 0; i < prompt.Length; i++)
        {
            (_positions[i], _first[i], _last[i]) = (i, _cache.Row(slot, 0), _cache.Row(slot, i));
        }

        var pass = Forward(prompt, _positions.AsSpan(0, prompt.Length));
        _rows[0] = prompt.Length - 1;
        ReadLogits(pass, 1);
    }

    /// <summary>Reads one more token in each slot; row i of the logits predicts the next token of slots[i].</summary>
    /// <param name="positions">The place of each token in its sequence.</param>
    public void Step(ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            (_first[i], _last[i]) = (_cache.Row(slots[i], 0), _cache.Row(slots[i], positions[i]));
            _rows[i] = i;
        }

        ReadLogits(Forward(tokens, positions), tokens.Length);
    }

    /// <summary>Slot i goes on from what slot <paramref name="origin"/>[i] has read, as beams branch and end.</summary>
    public void Rearrange(ReadOnlySpan<int> origin)
    {
        _spare ??= new KeyValueCache(_model.Backend, _model.Config, _cache.Sequences, _cache.Length);
        using var arena = new Arena(_model.Backend, "beam rows");
        var rows = arena.Take(new(_cache.Sequences * _cache.Length), DType.Int32, "beam_rows");
        arena.Commit();
        var from = new int[_cache.Sequences * _cache.Length];
        for (var slot = 0; slot < _cache.Sequences; slot++)
        {
            for (var position = 0; position < _cache.Length; position++)
            {
                from[_cache.Row(slot, position)] = _cache.Row(slot < origin.Length ? origin[slot] : slot, position);
            }
        }

        rows.Write(from);
        for (var layer = 0; layer < _cache.Layers.Count; layer++)
        {
            _model.Backend.Elementwise.GatherRows(_cache.Layers[layer].Keys, rows, _spare.Layers[layer].Keys);
            _model.Backend.Elementwise.GatherRows(_cache.Layers[layer].Values, rows, _spare.Layers[layer].Values);
        }

        _model.Backend.Synchronize();
        (_cache, _spare) = (_spare, _cache);
    }

    public void Dispose()
    {
        _workspace.Dispose();
        _cache.Dispose();
        _spare?.Dispose();
    }

    private Pass Forward(ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions)
    {
        var pass = _workspace.For(tokens.Length);
        pass.Batch.UploadCached(tokens, positions, _first.AsSpan(0, tokens.Length), _last.AsSpan(0, tokens.Length));
        _model.Forward(pass, _cache.Layers);
        return pass;
    }

    /// <summary>The logits of the first rows that <see cref="_rows"/> names.</summary>
    private void ReadLogits(Pass pass, int count)
    {
        var rows = pass.Batch.TargetRows;
        rows.Write(_rows.AsSpan(0, pass.Batch.Rows));
        for (var first = 0; first < count; first += pass.Head.ChunkRows)
        {
            var chunk = Math.Min(pass.Head.ChunkRows, count - first);
            var logits = _model.Logits(pass, chunk == pass.Batch.Rows ? rows : rows.SliceVector(first, chunk));
            logits.ReadDoubles(_logits.AsSpan(first * logits.Columns, chunk * logits.Columns));
        }
    }
}
