using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Inference.Tests;

/// <summary>The slope of a wanted answer's loss in the tokens before it.</summary>
[Category("Gradient")]
public sealed class TokenGradientTests
{
    private const int Answer = 7;

    /// <summary>Every token stands once, so that moving its row of the table moves one place of the stream.</summary>
    private static readonly int[] Tokens = [5, 9, 1, 30, 12, 7, 22, 3, 17, 28];

    /// <summary>fp64: central differences are exact to about 1e-9 of the largest slope.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Slopes_in_the_embedding_agree_with_finite_differences(bool adapted)
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var adapter = adapted ? TinyLlama.Adapter(backend, TinyLlama.Config) : null;
        using var model = new Llama(backend, weights, adapter, 64);
        Assert.That(weights.Find(LlamaShapes.HeadName), Is.Not.Null, "a tied head would move with the table");
        using var gradient = new TokenGradient(model);
        var (_, slopes) = gradient.OfEmbedding(Tokens, Answer);
        var table = weights[LlamaShapes.EmbeddingName].Value;
        var (values, size) = (table.ReadDoubles(), table.Columns);
        foreach (var n in (int[])[0, 3, 8])
        {
            var row = Tokens[n] * size;
            GradientCheck.Check(
                $"embedding of place {n}", values[row..(row + size)], slopes[(n * size)..((n + 1) * size)], moved =>
                {
                    moved.CopyTo(values, row);
                    table.Write(values);
                    return gradient.Losses([Tokens], [Answer])[0];
                }, 1e-6);
            gradient.OfEmbedding(Tokens, Answer);
            Restore(n);
        }

        void Restore(int n)
        {
            using var fresh = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
            values = fresh[LlamaShapes.EmbeddingName].Value.ReadDoubles();
            table.Write(values);
        }
    }

    /// <summary>∂loss/∂onehot[n, v] = ∂loss/∂h₀[n] · E[v], by a plain loop.</summary>
    [TestCase("reference", 1e-12)]
    [TestCase("cpu", 2e-5)] // fp32 sums
    public void Slopes_in_one_hot_tokens_are_those_of_the_embedding_times_the_table(string name, double tolerance)
    {
        using var backend = ComputeBackends.Open(name);
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var model = new Llama(backend, weights, null, 64);
        using var gradient = new TokenGradient(model);
        var (_, ofEmbedding) = gradient.OfEmbedding(Tokens, Answer);
        const int First = 2, Count = 3;
        var (_, slopes) = gradient.Of(Tokens, Answer, First, Count);
        var table = weights[LlamaShapes.EmbeddingName].Value;
        var (e, size, vocabulary) = (table.ReadDoubles(), table.Columns, table.Rows);
        double[] expected =
        [
            .. from n in Enumerable.Range(First, Count)
               from v in Enumerable.Range(0, vocabulary)
               select Enumerable.Range(0, size).Sum(d => ofEmbedding[(n * size) + d] * e[(v * size) + d]),
        ];
        Assert.That(slopes, Is.EqualTo(expected).Within(tolerance));
    }

    [Test]
    public void The_first_order_change_of_a_swap_is_what_its_slope_says()
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var model = new Llama(backend, weights, null, 64);
        using var gradient = new TokenGradient(model);
        const int Place = 3;
        var (loss, slopes) = gradient.Of(Tokens, Answer, Place, 1);
        var vocabulary = TinyLlama.Config.VocabularySize;
        int[] swaps = [.. Enumerable.Range(0, vocabulary)];
        var losses = gradient.Losses([.. swaps.Select(v => Swapped(v))], [.. swaps.Select(_ => Answer)]);
        double[] predicted = [.. swaps.Select(v => slopes[v] - slopes[Tokens[Place]])];
        double[] found = [.. losses.Select(l => l - loss)];
        var best = swaps.OrderBy(v => predicted[v]).Take(8);
        Assert.That(best.Min(v => found[v]), Is.LessThan(0), "one of the swaps that the slopes prefer lowers the loss");
        Assert.That(Correlation(predicted, found), Is.GreaterThan(0.3), "swaps are large steps, so it is no more");

        static int[] Swapped(int token)
        {
            int[] swapped = [.. Tokens];
            swapped[Place] = token;
            return swapped;
        }
    }

    /// <summary>Other rows beside a prompt change sums near the seventh digit in fp32, and nothing in fp64.</summary>
    [Test]
    public void Losses_of_many_prompts_are_those_of_each_alone()
    {
        using var backend = new ReferenceBackend();
        using var weights = LlamaWeights.InitializeRandom(backend, TinyLlama.Config, seed: 1);
        using var model = new Llama(backend, weights, null, 64);
        using var gradient = new TokenGradient(model);
        int[][] prompts = [Tokens, [.. Tokens.Reverse()], Tokens[..9]];
        int[] answers = [7, 2, 8];
        var together = gradient.Losses(prompts, answers);
        Assert.That(together, Is.EqualTo(prompts.Select((p, i) => gradient.Losses([p], [answers[i]])[0])).Within(1e-12));
        Assert.That(gradient.Of(Tokens, 7, 0, 1).Loss, Is.EqualTo(together[0]).Within(1e-12));
    }

    private static double Correlation(double[] x, double[] y)
    {
        var (mx, my) = (x.Average(), y.Average());
        return x.Zip(y, (a, b) => (a - mx) * (b - my)).Sum()
            / Math.Sqrt(x.Sum(a => (a - mx) * (a - mx)) * y.Sum(b => (b - my) * (b - my)));
    }
}
