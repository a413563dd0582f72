using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

/// <summary>The adapter that a run ends with, folded into its base: weights, their summary, and the loss.</summary>
internal static class MergedParity
{
    /// <summary>Sums of sizes in fp32 against fp64.</summary>
    private const double SummaryTolerance = 1e-4;

    /// <param name="rows">The rows whose loss the manifest gives.</param>
    public static void Check(
        ReferenceCase reference, LlamaWeights weights, LoraAdapter adapter, List<TokenizedExample> rows)
    {
        var expectedRows = reference.Field("loss_merged_rows");
        Assert.That(rows, Has.Count.EqualTo(expectedRows[1].GetInt32() - expectedRows[0].GetInt32()));
        var folder = TestFiles.NewFolder();
        AdapterMerge.Write(weights, adapter, Path.Combine(folder, "model.safetensors"));
        using var backend = new CpuBackend(1);
        using var merged = LlamaWeights.Load(backend, weights.Config, folder);
        foreach (var name in reference.TensorNames("merged."))
        {
            reference.CompareMerged(name, merged[name["merged.".Length..]].Value.ReadDoubles());
        }

        foreach (var summary in reference.Field("merged_summary").EnumerateObject())
        {
            var value = merged[summary.Name].Value.ReadDoubles();
            void Compare(string field, double actual, double size) => reference.Compare(
                $"{summary.Name}.{field}", actual, summary.Value.GetProperty(field).GetDouble(),
                SummaryTolerance * size);
            var length = Math.Sqrt(value.Sum(v => v * v));
            Compare("l2", length, length);
            Compare("sum", value.Sum(), value.Sum(Math.Abs));
            Compare("abs_max", value.Max(Math.Abs), 1);
        }

        using var model = new Llama(backend, merged, adapter: null, rows.Max(r => r.Length));
        using var workspace = new Workspace(model, rows.Sum(r => r.Length), forBackward: true);
        using var validator = new Validator(model, workspace, new TrainingData(rows, rows, []), rows.Count);
        reference.Compare("loss_merged", validator.Measure(0).Loss, reference.Tolerance("loss_atol"));
        Directory.Delete(folder, recursive: true);
    }
}
