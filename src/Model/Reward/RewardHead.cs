using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>One number per conversation, read from its last token.</summary>
/// <remarks>
/// <code>
/// forward    y[b] = w · RMSNorm(h[last(b)])
/// backward   dw  += Σ_b dy[b] · RMSNorm(h[last(b)])         dh[last(b)] = ∂y/∂h · dy[b], zero elsewhere
/// </code>
/// The head of <c>LlamaForSequenceClassification</c> with one label: <c>score.weight</c> [1, D], no bias. Backward is
/// forward, read from the bottom, as in <see cref="LossHead"/>.
/// </remarks>
public sealed class RewardHead : IDisposable
{
    public const string WeightName = "score.weight";

    private readonly IBackend _ops;
    private readonly double _epsilon;
    private readonly Weight _norm;
    private readonly Arena _arena;
    private readonly Tensor _rows, _hidden, _normed, _rstd, _scores, _dNormed, _dHidden;
    private int _count;

    /// <param name="weights">The backbone's; its final norm stands before the head.</param>
    /// <param name="maxConversations">R: the most conversations of one pass.</param>
    public RewardHead(IBackend ops, LlamaWeights weights, int maxConversations)
    {
        var dim = weights.Config.HiddenSize;
        (_ops, _epsilon, _norm) = (ops, weights.Config.RmsNormEpsilon, weights[LlamaShapes.FinalNormName]);
        _arena = new Arena(ops, "reward head");
        Weight = new Parameter(
            WeightName,
            _arena.Take(new(1, dim), ops.Accumulation, WeightName),
            _arena.Take(new(1, dim), ops.Accumulation, "d " + WeightName),
            Decays: true);
        Tensor Take(int columns, string name) => _arena.Take(new(maxConversations, columns), name);
        _rows = _arena.Take(new(maxConversations), DType.Int32, "last_rows");
        _hidden = _arena.Take(new(maxConversations, dim), ops.Accumulation, "reward_hidden");
        (_normed, _scores) = (Take(dim, "reward_normed"), Take(1, "scores"));
        (_dNormed, _dHidden) = (Take(dim, "d_reward_normed"), Take(dim, "d_reward_hidden"));
        _rstd = _arena.Take(new(maxConversations), ops.Accumulation, "reward_rstd");
        _arena.Commit();
    }

    /// <summary>[1, D]; zero until it is drawn, read or learned.</summary>
    public Parameter Weight { get; }

    /// <summary>R.</summary>
    public int MaxConversations => _rows.Columns;

    /// <summary>Draws the weight, normal with the backbone's initializer range.</summary>
    public void InitializeRandom(double range, long seed)
    {
        var stream = Philox.Stream(seed, "weights/" + WeightName);
        Weight.Value.Write([.. Enumerable.Range(0, Weight.Value.Columns).Select(i => range * stream.Normal(i))]);
    }

    /// <summary>The scores of a pass, after <see cref="Llama.Forward"/>.</summary>
    /// <param name="lastRows">[B] each conversation's last row in the pass, at most R of them.</param>
    /// <returns>[B].</returns>
    public double[] Forward(Pass pass, ReadOnlySpan<int> lastRows)
    {
        _count = lastRows.Length;
        var all = new int[MaxConversations];
        lastRows.CopyTo(all);
        _rows.Write(all);
        var (hidden, normed, scores) = (_hidden.Slice(0, _count), _normed.Slice(0, _count), _scores.Slice(0, _count));
        _ops.Elementwise.GatherRows(pass.Activations.Output, _rows.SliceVector(0, _count), hidden);
        _ops.RmsNorm.Forward(hidden, _norm.Value, _epsilon, normed, _rstd.SliceVector(0, _count));
        _ops.Linear.Forward(normed, Weight.Value, scores);
        return scores.ReadDoubles();
    }

    /// <summary>
    /// Adds to dw, and writes ∂loss/∂stream to the pass, from which <see cref="Llama.Backward"/> continues.
    /// </summary>
    /// <param name="dscores">[B] ∂loss/∂y of the conversations of the last <see cref="Forward"/>.</param>
    public void Backward(Pass pass, ReadOnlySpan<double> dscores)
    {
        var stream = pass.Scratch?.Stream ?? throw new InvalidOperationException(
            "This pass was made without room for gradients.");
        var (hidden, normed, scores) = (_hidden.Slice(0, _count), _normed.Slice(0, _count), _scores.Slice(0, _count));
        var (dNormed, dHidden) = (_dNormed.Slice(0, _count), _dHidden.Slice(0, _count));
        scores.Write(dscores);
        _ops.Linear.BackwardWeight(scores, normed, Weight.Gradient, null);
        _ops.Linear.BackwardInput(scores, Weight.Value, dNormed, accumulate: false);
        dHidden.Clear();
        _ops.RmsNorm.Backward(dNormed, hidden, _norm.Value, _rstd.SliceVector(0, _count), dHidden, _norm.Gradient);
        stream.Clear();
        _ops.Elementwise.ScatterRows(dHidden, _rows.SliceVector(0, _count), stream);
    }

    public void Dispose() => _arena.Dispose();
}
