using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>The loss of a wanted answer, and its slope in each token of the prompt.</summary>
/// <remarks>
/// <code>
/// loss       mean over the answer's tokens of −log p(token | all before)
/// slope      ∂loss/∂onehot[n, v] = Σ_d ∂loss/∂h₀[n, d] · E[v, d]          h₀[n] = E[token[n]]
/// </code>
/// Backward goes through every block down to the embedded tokens, whether anything there learns or not; the slopes are
/// one product with the embedding table. Zou et al. 2023, arXiv:2307.15043.
/// </remarks>
public sealed class TokenGradient : IDisposable
{
    /// <summary>The most rows of one pass over many prompts. It is fixed, so that sums are.</summary>
    private const int MaxRows = 2048;

    private readonly Llama _model;
    private readonly Arena _total;
    private Workspace? _backward;
    private Workspace? _forward;

    /// <param name="model">Without an adapter, or with one that was opened for gradients.</param>
    public TokenGradient(Llama model)
    {
        if (model.Adapter is { IsTrainable: false })
        {
            throw new InvalidOperationException("The adapter was opened without room for gradients.");
        }

        _model = model;
        _total = new Arena(model.Backend, "total");
        _total.Take(new(1), DType.Float64, "total");
        _total.Commit();
    }

    /// <summary>The loss, and its slopes in some consecutive tokens.</summary>
    /// <param name="tokens">[T] prompt and answer.</param>
    /// <param name="answer">Where the answer begins, above 0.</param>
    /// <param name="first">The first token whose slopes are wanted.</param>
    /// <param name="count">L: how many.</param>
    /// <returns>The loss in nats, and [L, V] slopes.</returns>
    public (double Loss, double[] Slopes) Of(ReadOnlySpan<int> tokens, int answer, int first, int count)
    {
        var (loss, stream) = Backward(tokens, answer);
        var table = _model.EmbeddingTable;
        using var arena = new Arena(_model.Backend, "slopes");
        var slopes = arena.Take(new(count, table.Rows), "slopes");
        arena.Commit();
        _model.Backend.Linear.Forward(stream.Slice(first, count), table, slopes);
        return (loss, slopes.ReadDoubles());
    }

    /// <summary>The loss, and ∂loss/∂h₀ of every token but the last, [T − 1, D].</summary>
    public (double Loss, double[] Slopes) OfEmbedding(ReadOnlySpan<int> tokens, int answer)
    {
        var (loss, stream) = Backward(tokens, answer);
        return (loss, stream.ReadDoubles());
    }

    /// <summary>The loss of the answer behind each of several prompts.</summary>
    /// <param name="prompts">Prompt and answer of each.</param>
    /// <param name="answers">Where the answer begins in each.</param>
    public double[] Losses(IReadOnlyList<int[]> prompts, IReadOnlyList<int> answers)
    {
        var losses = new double[prompts.Count];
        for (int from = 0, to; from < prompts.Count; from = to)
        {
            var rows = prompts[from].Length - 1;
            for (to = from + 1; to < prompts.Count && rows + prompts[to].Length - 1 <= MaxRows; to++)
            {
                rows += prompts[to].Length - 1;
            }

            Losses(prompts, answers, (from, to), losses);
        }

        return losses;
    }

    public void Dispose()
    {
        _backward?.Dispose();
        _forward?.Dispose();
        _total.Dispose();
    }

    private (double Loss, Tensor Stream) Backward(ReadOnlySpan<int> tokens, int answer)
    {
        Check(tokens.Length, answer);
        _model.CheckTokens(tokens, "text");
        var (rows, targets) = (tokens.Length - 1, tokens.Length - answer);
        var pass = Room(ref _backward, rows, forBackward: true).For(rows);
        var wanted = new int[rows];
        for (var n = 0; n < rows; n++)
        {
            wanted[n] = n + 1 >= answer ? tokens[n + 1] : -1;
        }

        pass.Batch.Upload(tokens[..rows], [.. Enumerable.Range(0, rows)], new int[rows], wanted);
        _model.Forward(pass);
        _total.Tensors[0].Clear();
        _model.Loss(pass, 1.0 / targets, _total.Tensors[0]);
        return (Finite(_total.Tensors[0].ReadDoubles()[0] / targets), _model.BackwardToInput(pass));
    }

    private static double Finite(double loss) => double.IsFinite(loss) ? loss : throw new SafeLlamaException(
        ExitCode.NonFinite,
        "The loss of the wanted answer is not finite, so there is nothing to search along. The weights or the adapter "
        + "are damaged, or have grown past what the device's numbers hold.");

    private void Losses(
        IReadOnlyList<int[]> prompts, IReadOnlyList<int> answers, (int From, int To) part, double[] losses)
    {
        var (tokens, positions, first, wanted) = (new List<int>(), new List<int>(), new List<int>(), new List<int>());
        for (var i = part.From; i < part.To; i++)
        {
            Check(prompts[i].Length, answers[i]);
            _model.CheckTokens(prompts[i], "text");
            var begin = tokens.Count;
            for (var n = 0; n + 1 < prompts[i].Length; n++)
            {
                tokens.Add(prompts[i][n]);
                positions.Add(n);
                first.Add(begin);
                wanted.Add(n + 1 >= answers[i] ? prompts[i][n + 1] : -1);
            }
        }

        var pass = Room(ref _forward, tokens.Count, forBackward: false).For(tokens.Count);
        pass.Batch.Upload([.. tokens], [.. positions], [.. first], [.. wanted]);
        _model.Forward(pass);
        _model.TargetLosses(pass);
        var nll = pass.Head.Nll.ReadDoubles();
        for (int i = part.From, place = 0; i < part.To; i++)
        {
            var targets = prompts[i].Length - answers[i];
            losses[i] = Finite(nll.AsSpan(place, targets).ToArray().Average());
            place += targets;
        }
    }

    private void Check(int length, int answer)
    {
        if (answer < 1 || answer >= length)
        {
            throw new ArgumentOutOfRangeException(nameof(answer), answer, "no answer follows a prompt");
        }

        if (length > _model.MaxLength)
        {
            throw SafeLlamaException.Usage(
                $"Prompt and answer have {length} tokens, the model was opened for {_model.MaxLength}.",
                "raise `MaxLength`");
        }
    }

    private Workspace Room(ref Workspace? workspace, int rows, bool forBackward)
    {
        if (workspace is null || workspace.MaxRows < rows)
        {
            workspace?.Dispose();
            workspace = new Workspace(_model, rows, forBackward);
        }

        return workspace;
    }
}
