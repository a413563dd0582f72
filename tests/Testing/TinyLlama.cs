using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Testing;

/// <summary>A LLaMA small enough for finite differences, with sizes that fill no vector evenly.</summary>
public static class TinyLlama
{
    public static LlamaConfig Config { get; } = ModelChecks.Config with
    {
        VocabularySize = 37,
        HiddenSize = 18,
        IntermediateSize = 29,
        Heads = 3,
        KeyValueHeads = 1,
        InitializerRange = 0.3,
    };

    /// <summary>An adapter with B drawn too: at B = 0 the gradient of A vanishes and proves nothing.</summary>
    public static LoraAdapter Adapter(IBackend backend, LlamaConfig config, double dropout = 0, int rank = 3)
    {
        var adapter = LoraAdapter.Create(
            backend, config,
            new LoraConfig { Rank = rank, Alpha = 5, Targets = LlamaShapes.LinearNames, Dropout = dropout }, seed: 11);
        foreach (var pair in adapter.Pairs)
        {
            pair.B.Value.Write(Normal((int)pair.B.Value.Shape.Count, seed: pair.Index, scale: 0.2));
        }

        return adapter;
    }

    /// <summary>An adapter of any variant, moved away from where it begins.</summary>
    public static LoraAdapter Adapter(
        IBackend backend, LlamaWeights weights, LoraVariant variant, double dropout = 0, int rank = 3)
    {
        var adapter = LoraAdapter.Create(
            backend, weights,
            new LoraConfig
            {
                Rank = rank,
                Alpha = 5,
                Targets = LlamaShapes.LinearNames,
                Dropout = dropout,
                Variant = variant,
            },
            seed: 11);
        foreach (var pair in adapter.Pairs)
        {
            foreach (var parameter in pair.Parameters.Where(p => variant != LoraVariant.Lora || p == pair.B))
            {
                var noise = Normal((int)parameter.Value.Shape.Count, seed: pair.Index, scale: 0.2);
                parameter.Value.Write([.. parameter.Value.ReadDoubles().Zip(noise, (value, n) => value + n)]);
            }
        }

        return adapter;
    }

    public static double[] Normal(int count, long seed, double scale = 1)
    {
        var stream = Philox.Stream(seed, "test");
        return [.. Enumerable.Range(0, count).Select(i => scale * stream.Normal(i))];
    }

    public static int[] Tokens(int count, long seed, int vocabulary = 37)
    {
        var stream = Philox.Stream(seed, "test tokens");
        return [.. Enumerable.Range(0, count).Select(i => stream.Below(i, vocabulary))];
    }

    /// <summary>Uploads examples laid one behind the other; every token but the last of each has a target.</summary>
    public static Pass Upload(Workspace workspace, params IReadOnlyList<int[]> examples)
    {
        var (tokens, positions, first, targets) = (new List<int>(), new List<int>(), new List<int>(), new List<int>());
        foreach (var example in examples)
        {
            var start = tokens.Count;
            for (var i = 0; i < example.Length; i++)
            {
                tokens.Add(example[i]);
                positions.Add(i);
                first.Add(start);
                targets.Add(i + 1 < example.Length ? example[i + 1] : -1);
            }
        }

        var pass = workspace.For(tokens.Count);
        pass.Batch.Upload([.. tokens], [.. positions], [.. first], [.. targets]);
        return pass;
    }

    /// <summary>Mean loss over the targets of a pass, with gradients added if the pass has room for them.</summary>
    public static double Loss(Llama model, Pass pass, double? divisor = null)
    {
        using var arena = new Arena(model.Backend, "total");
        var total = arena.Take(new(1), DType.Float64, "total");
        arena.Commit();
        var count = divisor ?? pass.Batch.TargetCount;
        model.Forward(pass);
        model.Loss(pass, 1 / count, total);
        if (pass.Scratch is not null)
        {
            model.Backward(pass);
        }

        return total.ReadDoubles()[0] / count;
    }
}
