using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>The start of PiSSA against PEFT: singular values, A and B up to sign, product, residual.</summary>
internal static class PissaParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var lora = reference.Field("lora_config");
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder);
        using var adapter = LoraAdapter.Create(backend, weights, new LoraConfig
        {
            Rank = lora.GetProperty("r").GetInt32(),
            Alpha = lora.GetProperty("lora_alpha").GetDouble(),
            Targets = [.. lora.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!)],
            Variant = LoraVariant.Pissa,
        }, seed: 1);
        Assert.That(adapter.ChangesNothing);
        foreach (var pair in adapter.Pairs)
        {
            CheckPair(reference, pair, weights[pair.Module + ".weight"].Value);
        }

        reference.MustBeReadWhole();
    }

    private static void CheckPair(ReferenceCase reference, LoraFactors pair, Tensor weight)
    {
        reference.Skip("variant");
        reference.Compare("scaling", pair.Scale, 1e-12);
        var (a, b, w) = (pair.A.Value.ReadDoubles(), pair.B.Value.ReadDoubles(), weight.ReadDoubles());
        var (rank, inputs) = (pair.A.Value.Rows, pair.A.Value.Columns);
        var (expectedA, expectedB) = (
            reference.Doubles(pair.Module + ".lora_A"), reference.Doubles(pair.Module + ".lora_B"));
        var values = reference.Field("singular_values").GetProperty(pair.Module);
        for (var k = 0; k < rank; k++)
        {
            // |A[k]|² is the singular value over s.
            double[] row = a[(k * inputs)..((k + 1) * inputs)];
            var value = values[k].GetDouble();
            reference.Compare(
                "singular_values", pair.Scale * row.Sum(x => x * x), value,
                reference.Tolerance("singular_values_rtol") * value);
            var sign = row.Zip(expectedA[(k * inputs)..], (x, y) => x * y).Sum() < 0 ? -1 : 1;
            var column = Enumerable.Range(0, b.Length / rank).Select(o => (o * rank) + k).ToArray();
            reference.Compare(
                pair.Module + ".lora_A", [.. row.Select(x => sign * x)], expectedA.AsSpan(k * inputs, inputs),
                reference.Tolerance("A_B_atol"));
            reference.Compare(
                pair.Module + ".lora_B", [.. column.Select(i => sign * b[i])], [.. column.Select(i => expectedB[i])],
                reference.Tolerance("A_B_atol"));
        }

        var product = new double[w.Length];
        for (var i = 0; i < w.Length; i++)
        {
            for (var k = 0; k < rank; k++)
            {
                product[i] += b[(i / inputs * rank) + k] * a[(k * inputs) + (i % inputs)];
            }
        }

        if (reference.TensorNames(pair.Module + ".BA").Any())
        {
            reference.Compare(
                pair.Module + ".BA", product, reference.Doubles(pair.Module + ".BA"), reference.Tolerance("BA_atol"));
        }

        reference.Compare(
            pair.Module + ".residual", [.. w.Zip(product, (x, p) => x - (pair.Scale * p))],
            reference.Doubles(pair.Module + ".residual"), reference.Tolerance("residual_atol"));
    }
}
