using System.Text.Json;
using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

/// <summary>A whole training run against Hugging Face's Trainer: every loss, norm, learning rate and final
/// weight.</summary>
internal static class TrainParity
{
    /// <summary>fp32 sums over at most 200,000 weights: one part in 10⁴ of a norm, one in 10⁵ of its weights' sum of
    /// sizes.</summary>
    private const double SummaryTolerance = 1e-4;

    /// <param name="backend">What computes.</param>
    /// <param name="reference">What it should find.</param>
    /// <param name="steps">How many steps to take, where not the whole run.</param>
    public static void Check(IBackend backend, ReferenceCase reference, int steps = int.MaxValue)
    {
        var hyper = reference.Field("hyper");
        var config = LlamaConfig.Load(reference.ModelFolder);
        var lora = reference.Field("adapter_init").ValueKind != JsonValueKind.Null;
        using var weights = lora
            ? LlamaWeights.Load(backend, config, reference.ModelFolder)
            : LlamaWeights.LoadTrainable(backend, config, reference.ModelFolder);
        using var adapter = lora
            ? PeftFolder.Load(backend, config, reference.FolderOf("adapter_init"), trainable: true)
            : null;
        var rows = Rows(reference);
        using var model = new Llama(backend, weights, adapter, rows.Max(r => r.Length));
        CheckDecay(hyper, model.Parameters);
        var perStep = hyper.GetProperty("gradient_accumulation_steps").GetInt32();
        var perMicro = hyper.GetProperty("micro_batch_size").GetInt32();
        using var workspace = new Workspace(model, perMicro * rows.Max(r => r.Length), forBackward: true);
        using var trainer = new Trainer(model, workspace, Settings(hyper), perStep);
        var start = Values(model.Parameters);

        var batches = BatchPacker.MicroBatches(rows, perStep * perMicro, perMicro).ToList();
        reference.Compare("steps", batches.Count, hyper.GetProperty("steps").GetInt32(), 0);
        var reports = new List<StepReport>();
        foreach (var batch in batches.Take(steps))
        {
            reports.Add(trainer.Step(batch));
            CheckAfter(reference, model.Parameters, start, reports.Count);
        }

        CheckReports(reference, hyper, batches[..reports.Count], reports);
        if (reports.Count < batches.Count)
        {
            return;
        }

        CheckFinal(reference, model.Parameters, start);
        if (reference.Has("loss_merged"))
        {
            MergedParity.Check(reference, weights, adapter!, rows[..perMicro]);
        }

        reference.Skip("data_order", "variant");
        reference.MustBeReadWhole();
    }

    private static TrainerSettings Settings(JsonElement hyper)
    {
        double Number(string name) => hyper.GetProperty(name).GetDouble();
        Assert.That(hyper.GetProperty("schedule").GetString(), Does.StartWith("cosine"));
        var betas = hyper.GetProperty("betas");
        var schedule = new LearningRateSchedule(
            ScheduleShape.Cosine, Number("learning_rate"), (int)Number("warmup_steps"), (int)Number("steps"));
        return new TrainerSettings(schedule)
        {
            Optimizer = new AdamWSettings(
                betas[0].GetDouble(), betas[1].GetDouble(), Number("eps"), Number("weight_decay"))
            {
                LoraPlusRatio = hyper.TryGetProperty("loraplus_lr_ratio", out var ratio) ? ratio.GetDouble() : 1,
            },
            MaxGradientNorm = Number("max_grad_norm"),
            Divisor = hyper.GetProperty("loss_normalisation")
                .GetString()!.StartsWith("legacy", StringComparison.Ordinal)
                ? LossNormalization.Legacy : LossNormalization.HuggingFace,
        };
    }

    /// <summary>The padded rows without their padding: what is padded is neither read nor learned.</summary>
    private static List<TokenizedExample> Rows(ReferenceCase reference)
    {
        var (ids, mask, labels) = (
            reference.Ints("input_ids"), reference.Ints("attention_mask"), reference.Ints("labels"));
        var columns = reference.ShapeOf("input_ids")[1];
        var rows = new List<TokenizedExample>();
        for (var start = 0; start < ids.Length; start += columns)
        {
            var kept = Enumerable.Range(start, columns).Where(i => mask[i] == 1).ToList();
            Assert.That(kept, Is.EqualTo(Enumerable.Range(start, kept.Count)), "these cases pad on the right");
            Assert.That(Enumerable.Range(start, columns)
                .All(i => labels[i] == -100 || (labels[i] == ids[i] && mask[i] == 1)));
            rows.Add(TokenizedExample.FromLabels(
                $"row {rows.Count}", default, [.. kept.Select(i => ids[i])], [.. kept.Select(i => labels[i] >= 0)]));
        }

        return rows;
    }

    private static void CheckDecay(JsonElement hyper, IReadOnlyList<Parameter> parameters)
    {
        var groups = hyper.GetProperty("weight_decay_groups").EnumerateArray()
            .Select(g => g.GetProperty("tensors").GetInt32()).ToList();
        Assert.That(parameters.Count(p => p.Decays), Is.EqualTo(groups[0]), "tensors that decay");
        Assert.That(parameters.Count(p => !p.Decays), Is.EqualTo(groups.ElementAtOrDefault(1)),
            "tensors that do not decay");
    }

    private static void CheckReports(
        ReferenceCase reference, JsonElement hyper, List<IReadOnlyList<PackedBatch>> steps, List<StepReport> reports)
    {
        var (loss, norm) = (reference.Tolerance("step_loss_atol"), reference.Tolerance("grad_norm_rtol"));
        var partly = reports.Count < hyper.GetProperty("steps").GetInt32();
        void Compare(string name, double[] actual, double atol, double rtol = 0)
        {
            double[] expected = [.. reference.Field(name).EnumerateArray().Select(e => e.GetDouble())];
            reference.Compare(name, actual, partly ? expected[..actual.Length] : expected, atol, rtol);
        }

        Compare("step_loss", [.. reports.Select(r => r.Loss)], loss);
        Compare("step_loss_fp64_independent", [.. reports.Select(r => r.Loss)], loss);
        Compare("micro_loss", [.. reports.SelectMany(r => r.MicroLosses)], loss);
        Compare("lr_used", [.. reports.Select(r => r.LearningRate)], reference.Tolerance("lr_atol"));
        if (reference.Has("lr_used_lora_B"))
        {
            var ratio = hyper.GetProperty("loraplus_lr_ratio").GetDouble();
            Compare(
                "lr_used_lora_B", [.. reports.Select(r => ratio * r.LearningRate)], reference.Tolerance("lr_atol"));
        }

        Compare("grad_norm_before_clip", [.. reports.Select(r => r.GradientNorm)], 0, norm);
        Compare("grad_norm_before_clip_fp64", [.. reports.Select(r => r.GradientNorm)], 0, norm);
        var max = hyper.GetProperty("max_grad_norm").GetDouble();
        Compare("grad_norm_after_clip",
            [.. reports.Select(r => r.GradientNorm * Math.Min(1, max / (r.GradientNorm + 1e-6)))], 0, norm);

        // The rule before transformers 4.46 knows no count of items: each is null.
        if (reference.Field("n_items").EnumerateArray().All(n => n.ValueKind == JsonValueKind.Number))
        {
            Compare("n_items", [.. steps.Select(s => (double)s.Sum(b => b.LabelCount))], 0);
        }
        else
        {
            Assert.That(hyper.GetProperty("loss_normalisation").GetString(), Does.StartWith("legacy"));
        }
    }

    private static void CheckAfter(
        ReferenceCase reference, IReadOnlyList<Parameter> parameters, Dictionary<string, double[]> start, int step)
    {
        var prefix = $"after_step{step}.";
        foreach (var name in reference.TensorNames(prefix))
        {
            var actual = parameters.Single(p => p.Name == name[prefix.Length..]).Value.ReadDoubles();

            // These tensors carry no tolerance of their own: the smallest that the final ones have.
            CompareMoved(reference, name, actual, start[name[prefix.Length..]], 2e-5);
        }
    }

    private static void CheckFinal(
        ReferenceCase reference, IReadOnlyList<Parameter> parameters, Dictionary<string, double[]> start)
    {
        const string Prefix = "final.";
        foreach (var name in reference.TensorNames(Prefix))
        {
            var whole = name == "final.embed_rows_0_16" ? LlamaShapes.EmbeddingName : name[Prefix.Length..];
            var count = (int)reference.ShapeOf(name).Count;
            var actual = parameters.Single(p => p.Name == whole).Value.ReadDoubles()[..count];
            var tolerance = reference.About(name).GetProperty("atol").GetDouble();
            CompareMoved(reference, name, actual, start[whole][..count], tolerance);
        }

        var summaries = reference.Field("final_summary").EnumerateObject().ToList();
        Assert.That(summaries.Select(s => s.Name), Is.EquivalentTo(parameters.Select(p => p.Name)));
        foreach (var summary in summaries)
        {
            var value = parameters.Single(p => p.Name == summary.Name).Value.ReadDoubles();
            var delta = value.Zip(start[summary.Name], (a, b) => a - b).ToArray();
            foreach (var expected in summary.Value.EnumerateObject())
            {
                var (actual, size) = expected.Name switch
                {
                    "l2" => (Norm(value), Norm(value)),
                    "sum" => (value.Sum(), value.Sum(Math.Abs)),
                    "delta_l2" => (Norm(delta), 10 * Norm(delta)),
                    "fp32_vs_fp64_max_abs" => (expected.Value.GetDouble(), 0),
                    _ => throw new ParityException($"{reference.Name}: no test reads {summary.Name}.{expected.Name}."),
                };
                var tolerance = !reference.IsRounded ? SummaryTolerance * size
                    : BrainTolerance.Moved * Norm(delta) * (expected.Name == "sum" ? Math.Sqrt(delta.Length) : 1);
                reference.Compare($"{summary.Name}.{expected.Name}", actual, expected.Value.GetDouble(), tolerance);
            }
        }
    }

    /// <summary>Compares weights one by one; in bf16 how they moved, all of them together.</summary>
    private static void CompareMoved(
        ReferenceCase reference, string name, double[] actual, double[] start, double tolerance)
    {
        var expected = reference.Doubles(name);
        if (!reference.IsRounded)
        {
            reference.Compare(name, actual, expected, tolerance);
            return;
        }

        reference.Compare(name + " (count)", actual.Length, expected.Length, 0);
        var moved = expected.Zip(start, (e, s) => e - s).ToArray();
        reference.Compare(
            name, Norm([.. actual.Zip(expected, (a, e) => a - e)]), 0,
            (BrainTolerance.Moved * Norm(moved)) + (tolerance * Math.Sqrt(expected.Length)));
    }

    private static Dictionary<string, double[]> Values(IReadOnlyList<Parameter> parameters) =>
        parameters.ToDictionary(p => p.Name, p => p.Value.ReadDoubles());

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(v => v * v));
}
