using SafeLlama.Common;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>How likely a text is, token by token.</summary>
public sealed class Scorer : IDisposable
{
    private readonly Llama _model;
    private Workspace? _workspace;
    private Kernels.Arena? _total;

    public Scorer(Llama model) => _model = model;

    /// <summary>log p(token[i] | token[0 … i−1]) for i = 1 … T−1, in nats.</summary>
    /// <param name="tokens">[T], at least two, BOS included.</param>
    /// <exception cref="SafeLlamaException">
    /// The text is too short or too long, or holds ids the model does not have.
    /// </exception>
    public double[] LogLikelihoods(ReadOnlySpan<int> tokens)
    {
        var pass = Read(tokens);
        _model.Loss(pass, 1, Total());
        return Array.ConvertAll(pass.Head.Nll.ReadDoubles(), nll => -nll);
    }

    public void Dispose()
    {
        _workspace?.Dispose();
        _total?.Dispose();
    }

    /// <summary>A forward pass in which every row but the last has the next token as its target.</summary>
    private Pass Read(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length < 2)
        {
            throw SafeLlamaException.InvalidData(
                "Text to score: has fewer than two tokens, so nothing follows anything.");
        }

        if (tokens.Length > _model.MaxLength)
        {
            throw SafeLlamaException.Usage(
                $"Text to score: has {tokens.Length} tokens, the model was opened for {_model.MaxLength}.",
                "score it in parts", "raise `MaxLength`");
        }

        _model.CheckTokens(tokens, "text to score");
        var count = tokens.Length - 1;
        if (_workspace is null || _workspace.MaxRows < count)
        {
            _workspace?.Dispose();
            _workspace = new Workspace(_model, count, forBackward: false);
        }

        var pass = _workspace.For(count);
        pass.Batch.Upload(tokens[..count], [.. Enumerable.Range(0, count)], new int[count], tokens[1..]);
        _model.Forward(pass);
        return pass;
    }

    private Kernels.Tensor Total()
    {
        if (_total is null)
        {
            _total = new Kernels.Arena(_model.Backend, "total");
            _total.Take(new(1), Kernels.DType.Float64, "total");
            _total.Commit();
        }

        return _total.Tensors[0];
    }
}
