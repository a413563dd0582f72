using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Inference;

/// <summary>Reads the residual stream and the attention of prompts, one prompt at a time.</summary>
public sealed class ResidualReader(Llama model) : IDisposable
{
    private Workspace? _workspace;

    /// <summary>The stream at one token of a prompt, before every block and after the last.</summary>
    /// <param name="prompt">Token ids.</param>
    /// <param name="position">The token, counted from the end: −1 is the last one.</param>
    /// <returns>[L + 1][D].</returns>
    /// <exception cref="SafeLlamaException">The prompt has no such token, or is too long.</exception>
    public double[][] Read(ReadOnlySpan<int> prompt, int position = -1)
    {
        var row = RowOf(prompt, position);
        var read = new double[model.Blocks.Count + 1][];
        Forward(prompt, _ => new Recorder((layer, stream) => read[layer] = stream.Slice(row, 1).ReadDoubles()));
        return read;
    }

    /// <summary>The [V] logits that the head makes of the stream before every block and after the last.</summary>
    /// <remarks>nostalgebraist 2020, "interpreting GPT: the logit lens".</remarks>
    /// <returns>[L + 1][V]; the last one is the model's own prediction.</returns>
    public double[][] Lens(ReadOnlySpan<int> prompt, int position = -1)
    {
        var row = RowOf(prompt, position);
        var read = new double[model.Blocks.Count + 1][];
        using var arena = new Arena(model.Backend, "lens");
        var rows = arena.Take(new(1), DType.Int32, "lens_row");
        arena.Commit();
        rows.Write([row]);
        Forward(prompt, pass => new Recorder((layer, stream) =>
            read[layer] = model.Logits(pass, stream, rows).ReadDoubles()));
        return read;
    }

    /// <summary>The attention weights of some layers.</summary>
    /// <param name="layers">From 0, rising.</param>
    /// <returns>[layers][H][T][T]; row i holds i + 1 weights that sum to one, then zeros.</returns>
    public double[][][][] Attention(ReadOnlySpan<int> prompt, params IReadOnlyList<int> layers)
    {
        var (read, length) = (new List<double[][][]>(), prompt.Length);
        Forward(prompt, pass => new Recorder(between: layer =>
        {
            if (layers.Contains(layer))
            {
                read.Add(AttentionWeights.Of(model.Config, pass.Activations.Block(layer).Attention, length));
            }
        }));
        return [.. read];
    }

    public void Dispose() => _workspace?.Dispose();

    private static int RowOf(ReadOnlySpan<int> prompt, int position)
    {
        var row = prompt.Length + position;
        return position < 0 && row >= 0 ? row : throw SafeLlamaException.Usage(
            $"`Position` {position}: expected −1 for a prompt's last token, −2 for the one before, and so on; this "
            + $"prompt has {prompt.Length} tokens.");
    }

    private void Forward(ReadOnlySpan<int> prompt, Func<Pass, IStreamHook> recorder)
    {
        if (prompt.Length > model.MaxLength)
        {
            throw SafeLlamaException.Usage(
                $"A prompt has {prompt.Length} tokens, the model was opened for {model.MaxLength}.",
                "shorten it", "raise `MaxLength`");
        }

        model.CheckTokens(prompt, "prompt");
        if (_workspace is null || _workspace.MaxRows < prompt.Length)
        {
            _workspace?.Dispose();
            _workspace = new Workspace(model, prompt.Length, forBackward: false);
        }

        var pass = _workspace.For(prompt.Length);
        int[] none = [.. Enumerable.Repeat(-1, prompt.Length)];
        pass.Batch.Upload(prompt, [.. Enumerable.Range(0, prompt.Length)], new int[prompt.Length], none);
        var before = model.Hook;
        model.Hook = before is null ? recorder(pass) : new Both(before, recorder(pass));
        try
        {
            model.Forward(pass);
        }
        finally
        {
            model.Hook = before;
        }
    }

    private sealed class Recorder(Action<int, Tensor>? before = null, Action<int>? between = null) : IStreamHook
    {
        public void BeforeBlock(int layer, Tensor stream) => before?.Invoke(layer, stream);

        public void AfterAttention(int layer, Tensor stream) => between?.Invoke(layer);
    }

    /// <summary>What is read is what an earlier hook left.</summary>
    private sealed class Both(IStreamHook first, IStreamHook second) : IStreamHook
    {
        public void BeforeBlock(int layer, Tensor stream)
        {
            first.BeforeBlock(layer, stream);
            second.BeforeBlock(layer, stream);
        }

        public void AfterAttention(int layer, Tensor stream)
        {
            first.AfterAttention(layer, stream);
            second.AfterAttention(layer, stream);
        }
    }
}
