using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A stream of tokens on the device: examples one after another, without padding.</summary>
/// <remarks>
/// All are Int32. Query n sees keys <see cref="FirstKey"/>[n] … <see cref="LastKey"/>[n]; the last one is its own.
/// </remarks>
public sealed class TokenBatch
{
    private readonly int[] _ownRow;
    private readonly int[] _rows;
    private readonly int[] _targets;
    private readonly float[] _noise;
    private readonly VectorParts _targetRowParts;
    private readonly VectorParts _targetParts;

    internal TokenBatch(Arena arena, int rows)
    {
        Rows = rows;
        Tokens = arena.Take(new(rows), DType.Int32, "tokens");
        Positions = arena.Take(new(rows), DType.Int32, "positions");
        FirstKey = arena.Take(new(rows), DType.Int32, "first_key");
        LastKey = arena.Take(new(rows), DType.Int32, "last_key");
        TargetRows = arena.Take(new(rows), DType.Int32, "target_rows");
        Targets = arena.Take(new(rows), DType.Int32, "targets");
        (_targetRowParts, _targetParts) = (new(TargetRows), new(Targets));
        _ownRow = [.. Enumerable.Range(0, rows)];
        NoiseScale = arena.Take(new(rows), arena.Backend.Accumulation, "noise_scale");
        (_rows, _targets, _noise) = (new int[rows], new int[rows], new float[rows]);
    }

    /// <summary>N.</summary>
    public int Rows { get; }

    /// <summary>[N].</summary>
    public Tensor Tokens { get; }

    /// <summary>[N] each token's place in its own sequence, from 0.</summary>
    public Tensor Positions { get; }

    /// <summary>[N].</summary>
    public Tensor FirstKey { get; }

    /// <summary>[N].</summary>
    public Tensor LastKey { get; }

    /// <summary>The number of rows with a target; the loss head reads only these.</summary>
    public int TargetCount { get; private set; }

    /// <summary>
    /// [N], of which <see cref="TargetCount"/> count: the rows that have a target, in ascending order.
    /// </summary>
    public Tensor TargetRows { get; }

    /// <summary>
    /// [N], of which <see cref="TargetCount"/> count: the token that comes next in each of those rows.
    /// </summary>
    public Tensor Targets { get; }

    /// <summary>Some of the rows that have a target, and their targets.</summary>
    internal (Tensor Rows, Tensor Targets) TargetsAt(int first, int count) =>
        (_targetRowParts.At(first, count), _targetParts.At(first, count));

    /// <summary>
    /// The random numbers of this micro-batch's dropout; null where nothing is dropped, as in evaluation.
    /// </summary>
    public Philox? DropoutStream { get; set; }

    /// <summary>The noise that forward adds to the embedded tokens; null for none, as in evaluation.</summary>
    public Philox? NoiseStream { get; private set; }

    /// <summary>[N] the most that NEFTune adds to an element of a row.</summary>
    public Tensor NoiseScale { get; }

    /// <summary>
    /// Asks forward for NEFTune's noise: uniform within ±α / √(L · D), L the tokens of the row's own example. Jain et
    /// al. 2023, arXiv:2310.05914.
    /// </summary>
    /// <param name="columns">D.</param>
    /// <param name="firstKey">[N] as uploaded: rows of one example have one first key.</param>
    public void AddNoise(Philox stream, double alpha, int columns, ReadOnlySpan<int> firstKey)
    {
        for (int first = 0, end; first < Rows; first = end)
        {
            for (end = first; end < Rows && firstKey[end] == firstKey[first]; end++)
            {
            }

            _noise.AsSpan(first, end - first).Fill((float)(alpha / Math.Sqrt((double)(end - first) * columns)));
        }

        NoiseScale.Write(_noise);
        NoiseStream = stream;
    }

    /// <summary>The adapter of each row, where a model lets rows choose; null where it does not.</summary>
    public ChosenAdapters? Chosen { get; set; }

    /// <summary>Copies a training batch to the device: each row sees its own example up to itself.</summary>
    /// <param name="targets">[N] the token after each one; below 0 where nothing is learned.</param>
    public void Upload(
        ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions, ReadOnlySpan<int> firstKey, ReadOnlySpan<int> targets)
    {
        UploadCached(tokens, positions, firstKey, _ownRow);
        NoiseStream = null;
        TargetCount = 0;
        for (var n = 0; n < targets.Length; n++)
        {
            if (targets[n] >= 0)
            {
                (_rows[TargetCount], _targets[TargetCount]) = (n, targets[n]);
                TargetCount++;
            }
        }

        TargetRows.Write(_rows);
        Targets.Write(_targets);
    }

    /// <summary>Copies tokens whose keys are in a cache; the last key of each is its own row.</summary>
    public void UploadCached(
        ReadOnlySpan<int> tokens, ReadOnlySpan<int> positions, ReadOnlySpan<int> firstKey, ReadOnlySpan<int> lastKey)
    {
        Tokens.Write(tokens);
        Positions.Write(positions);
        FirstKey.Write(firstKey);
        LastKey.Write(lastKey);
        TargetCount = 0;
    }
}
