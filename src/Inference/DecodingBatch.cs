using System.Numerics;
using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Sequences that grow side by side over one key/value cache.</summary>
/// <remarks>
/// A prompt is read in passes of its own, a long one in parts of so many rows that its bytes are those of one pass. In
/// decoding, more rows than <see cref="Linear.IndependentRows"/> are summed
/// in another order, which changes a logit near its seventh digit. Where exact results are requested, a step takes
/// several passes instead, so a sequence's bytes do not depend on its neighbors.
/// </remarks>
public sealed class DecodingBatch : IDisposable
{
    /// <summary>Tokens of a prompt that are read at once; others need not wait for more.</summary>
    private const int PartTokens = 256;

    /// <summary>Rows whose logits are computed at once, at most; parts are whole numbers of them.</summary>
    private const int MostLogitRows = 32;

    private readonly Llama _model;
    private readonly Workspace _workspace;
    private readonly double[] _logits;
    private readonly int[] _positions;
    private readonly int[] _first;
    private readonly int[] _last;
    private readonly int[] _rows;
    private readonly int _stepRows;
    private KeyValueCache _cache;
    private KeyValueCache? _spare;

    /// <param name="sequences">The most sequences at a time.</param>
    /// <param name="promptLength">The longest prompt, in tokens.</param>
    /// <param name="length">The most tokens of a sequence, prompt included.</param>
    /// <param name="exact">Whether a step's rows give the bytes that they give alone.</param>
    public DecodingBatch(Llama model, int sequences, int promptLength, int length, bool exact = false)
    {
        if (length > model.MaxLength)
        {
            throw SafeLlamaException.Usage(
                $"Prompt and answer may have {length} tokens, but the model was opened for {model.MaxLength}.",
                "raise `MaxLength`", "lower `MaxNewTokens`", "shorten the prompt");
        }

        _model = model;
        _stepRows = exact ? Math.Min(sequences, IndependentRows(model)) : sequences;
        _cache = new KeyValueCache(model.Backend, model.Config, sequences, length);
        var rows = Math.Max(MostPart(model, promptLength), sequences);
        _workspace = new Workspace(model, rows, forBackward: false);
        _logits = new double[(long)sequences * model.Config.VocabularySize];
        (_positions, _first, _last, _rows) = (new int[rows], new int[rows], new int[rows], new int[rows]);
    }

    /// <summary>[V] logits of the row that was read, or of one slot of a step; valid until the next call.</summary>
    public ReadOnlySpan<double> Logits(int row) =>
        _logits.AsSpan(row * _model.Config.VocabularySize, _model.Config.VocabularySize);

    /// <summary>What a batch of these sizes takes besides weights, in bytes: the cache, and all else.</summary>
    public static (long Cache, long Work) BytesFor(Llama model, int sequences, int promptLength, int length) =>
    (
        KeyValueCache.BytesFor(model.Backend, model.Config, sequences, length),
        Workspace.BytesFor(model, Math.Max(MostPart(model, promptLength), sequences), forBackward: false)
            + ((long)sequences * model.Config.VocabularySize * sizeof(double)));

    /// <summary>Reads a prompt into a slot; row 0 of the logits predicts the token after its last one.</summary>
    /// <param name="adapter">Which of the model's choices stands beside it; −1 for none.</param>
    /// <param name="onRow">Is given, for every token in order, its place and the [V] logits it leads to.</param>
    public void Read(
        int slot, ReadOnlySpan<int> prompt, int adapter = -1, Action<int, ReadOnlySpan<double>>? onRow = null)
    {
        for (var read = 0; read < prompt.Length;)
        {
            read += ReadPart(slot, prompt, read, adapter, onRow);
        }
    }

    /// <summary>
    /// Reads the next part of a prompt, the first parts of which were read into the slot; others may step in between.
    /// </summary>
    /// <param name="read">Tokens that were read.</param>
    /// <returns>Tokens that this part has; after the last part, the logits are there as after
    /// <see cref="Read"/>.</returns>
    public int ReadPart(
        int slot, ReadOnlySpan<int> prompt, int read, int adapter = -1, Action<int, ReadOnlySpan<double>>? onRow = null)
    {
        var count = NextPart(_model, read, prompt.Length);
        var part = prompt.Slice(read, count);
        _model.CheckTokens(part, "prompt");
        for (var i = 0; i < count; i++)
        {
            (_positions[i], _first[i], _last[i]) = (read + i, _cache.Row(slot, 0), _cache.Row(slot, read + i));
        }

        var pass = Upload(part, _positions.AsSpan(0, count));
        if (_model.Choices.Count > 0)
        {
            pass.Choose([new(adapter, 0, count)]);
        }

        _model.Forward(pass, _cache.Layers);
        var together = 1 << BitOperations.Log2((uint)Math.Min(_cache.Sequences, MostLogitRows));
        for (var first = 0; onRow is not null && first < count; first += together)
        {
            var some = Math.Min(together, count - first);
            for (var i = 0; i < some; i++)
            {
                _rows[i] = first + i;
            }

            ReadLogits(pass, some, 0);
            for (var i = 0; i < some; i++)
            {
                onRow(read + first + i, Logits(i));
            }
        }

        if (read + count == prompt.Length)
        {
            _rows[0] = count - 1;
            ReadLogits(pass, 1, 0);
        }

        return count;
    }

    /// <summary>Reads one more token in each slot; row i of the logits predicts the next token of slots[i].</summary>
    /// <param name="positions">The place of each token in its sequence.</param>
    /// <param name="adapters">
    /// Which of the model's choices stands beside each, those alike together; −1, or nothing given, for none.
    /// </param>
    public void Step(
        ReadOnlySpan<int> slots, ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions,
        ReadOnlySpan<int> adapters = default)
    {
        for (var first = 0; first < tokens.Length; first += _stepRows)
        {
            var count = Math.Min(_stepRows, tokens.Length - first);
            for (var i = 0; i < count; i++)
            {
                var (slot, position) = (slots[first + i], positions[first + i]);
                (_first[i], _last[i], _rows[i]) = (_cache.Row(slot, 0), _cache.Row(slot, position), i);
            }

            var pass = Upload(tokens.Slice(first, count), positions.Slice(first, count));
            if (_model.Choices.Count > 0)
            {
                pass.Choose(Ranges(adapters.IsEmpty ? [] : adapters.Slice(first, count), count));
            }

            _model.Forward(pass, _cache.Layers);
            ReadLogits(pass, count, first);
        }
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

    /// <summary>A part, or all that is left where too few rows would stay for the last one.</summary>
    private static int NextPart(Llama model, int read, int length)
    {
        var least = model.HasJointRows ? int.MaxValue : model.Backend.Linear.AlikeRows;
        return length - read - PartTokens >= least ? PartTokens : length - read;
    }

    /// <summary>Rows of the longest pass that reads a prompt of up to so many tokens.</summary>
    private static int MostPart(Llama model, int length)
    {
        var least = model.HasJointRows ? int.MaxValue : model.Backend.Linear.AlikeRows;
        return (int)Math.Min(length, PartTokens + (long)least - 1);
    }

    private static int IndependentRows(Llama model) =>
        model.HasJointRows ? 1 : model.Backend.Linear.IndependentRows;

    private Pass Upload(ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions)
    {
        var pass = _workspace.For(tokens.Length);
        pass.Batch.UploadCached(tokens, positions, _first.AsSpan(0, tokens.Length), _last.AsSpan(0, tokens.Length));
        return pass;
    }

    private static List<AdapterRange> Ranges(ReadOnlySpan<int> adapters, int count)
    {
        var ranges = new List<AdapterRange>();
        for (var i = 0; i < count; i++)
        {
            var adapter = adapters.IsEmpty ? -1 : adapters[i];
            if (ranges.Count > 0 && ranges[^1].Adapter == adapter)
            {
                ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            }
            else
            {
                ranges.Add(new(adapter, i, 1));
            }
        }

        return ranges;
    }

    /// <summary>The logits of the first rows that <see cref="_rows"/> names.</summary>
    /// <param name="into">The row of the logits where the first of them goes.</param>
    private void ReadLogits(Pass pass, int count, int into)
    {
        var rows = pass.Batch.TargetRows;
        rows.Write(_rows.AsSpan(0, pass.Batch.Rows));
        for (var first = 0; first < count; first += pass.Head.ChunkRows)
        {
            var chunk = Math.Min(pass.Head.ChunkRows, count - first);
            var logits = _model.Logits(pass, chunk == pass.Batch.Rows ? rows : rows.SliceVector(first, chunk));
            logits.ReadDoubles(_logits.AsSpan((into + first) * logits.Columns, chunk * logits.Columns));
        }
    }
}
