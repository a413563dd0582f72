using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>A model whose linears are quantized: as stored, as quantized here, and with an adapter beside it.</summary>
internal static class QuantParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        var form = FormOf(reference, config);
        config = config with
        {
            Quantization = config.Quantization! with { Threshold = ThresholdOf(reference, config) },
        };
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder, form);
        CheckStored(reference, backend, weights, form);
        CheckPass(backend, reference, weights, adapter: null, suffix: "");
        if (reference.Has("adapter") && reference.Field("adapter").ValueKind != System.Text.Json.JsonValueKind.Null)
        {
            using var adapter = PeftFolder.Load(backend, config, reference.FolderOf("adapter"), trainable: true);
            CheckPass(backend, reference, weights, adapter, "_adapter");
        }

        CheckLinears(reference, backend, weights);
        reference.MustBeReadWhole();
    }

    /// <summary>Quantizing the model that the checkpoint was made of gives the weights that it stores.</summary>
    private static void CheckStored(
        ReferenceCase reference, IBackend backend, LlamaWeights weights, LoadForm form)
    {
        var folder = reference.FolderOf("base_model");
        if (reference.Name.EndsWith("_stored", StringComparison.Ordinal))
        {
            folder = BrainTolerance.Narrowed(folder);
        }

        var asked = form.As != LoadAs.Stored ? form
            : new LoadForm(weights.Config.Quantization!.As, weights.Config.Quantization.Nested);
        using var quantized = LlamaWeights.Load(backend, LlamaConfig.Load(folder), folder, asked);
        foreach (var shape in LlamaShapes.Of(weights.Config).Where(QuantizedFormats.IsLinear))
        {
            var (stored, ours) = (weights[shape.Name].Value, quantized[shape.Name].Value);
            var (expected, actual) = (stored.ReadDoubles(), ours.ReadDoubles());
            if (asked.As != LoadAs.Nf4)
            {
                // A step of a row; entries within 1e-4 of a half may be one off, at most 54 of a model.
                var differing = expected.Zip(actual).Count(pair => pair.First != pair.Second);
                reference.Compare($"{shape.Name} entries that differ", differing, 0, 54);
                reference.Compare(shape.Name, actual, expected, expected.Max(Math.Abs) / 126);
            }
            else
            {
                // The nested offset, a mean in fp32, to 5e-7 of itself; all else bit for bit.
                reference.Compare(
                    shape.Name, actual, expected, weights.Config.Quantization!.Nested
                        ? 5e-7 * expected.Max(Math.Abs) : 0);
            }
        }

        foreach (var name in reference.TensorNames("dequant."))
        {
            reference.Compare(
                name, weights[name["dequant.".Length..]].Value.ReadDoubles(), reference.Doubles(name),
                reference.Tolerance("dequant_atol"));
        }
    }

    private static void CheckPass(
        IBackend backend, ReferenceCase reference, LlamaWeights weights, LoraAdapter? adapter, string suffix)
    {
        var batch = ReferenceBatch.Of(reference);
        using var model = new Llama(backend, weights, adapter, batch.Positions.Max() + 1);
        using var workspace = new Workspace(model, batch.Tokens.Length, forBackward: adapter is not null);
        var pass = batch.Upload(workspace);
        model.Forward(pass);
        CheckLogits(reference, model, pass, batch, "logits" + suffix);
        CheckLoss(reference, model, pass, batch, suffix);
        if (adapter is null)
        {
            return;
        }

        model.Backward(pass);
        var tolerance = reference.Tolerance("grad_max_abs_over_tensor_absmax");
        var named = adapter.Parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles());
        foreach (var name in reference.TensorNames("grad."))
        {
            reference.CompareToLargest(name, named[name["grad.".Length..]], tolerance);
        }

        ForwardParity.CheckNorm(reference, adapter.Parameters, tolerance);
    }

    private static void CheckLogits(
        ReferenceCase reference, Llama model, Pass pass, ReferenceBatch batch, string name)
    {
        var (shape, expected) = (reference.ShapeOf(name), reference.Doubles(name));
        var listed = reference.Field("logits_rows").EnumerateArray().Select(r => r.GetInt32()).ToArray();
        var logits = ForwardParity.Logits(model, pass, [.. Enumerable.Range(0, batch.Tokens.Length)]);
        var (squares, count) = (0.0, 0);
        for (var n = 0; n < batch.Tokens.Length; n++)
        {
            var row = Array.IndexOf(listed, batch.Places[n] / shape[1]);
            if (row < 0)
            {
                continue;
            }

            var ours = logits.AsSpan(n * shape[2], shape[2]);
            var theirs = expected.AsSpan(((row * shape[1]) + (batch.Places[n] % shape[1])) * shape[2], shape[2]);
            reference.Compare(
                $"{name} of row {n}", ours, theirs, reference.Tolerance("logits_atol"),
                reference.Tolerance("logits_rtol"));
            for (var i = 0; i < ours.Length; i++, count++)
            {
                squares += (ours[i] - theirs[i]) * (ours[i] - theirs[i]);
            }
        }

        if (reference.Tolerates("logits_rms"))
        {
            reference.Compare($"{name} rms", Math.Sqrt(squares / count), 0, reference.Tolerance("logits_rms"));
        }
    }

    private static void CheckLoss(
        ReferenceCase reference, Llama model, Pass pass, ReferenceBatch batch, string suffix)
    {
        using var arena = new Arena(model.Backend, "total");
        var total = arena.Take(new(1), DType.Float64, "total");
        arena.Commit();
        var count = reference.Number("num_loss_tokens");
        reference.Compare("num_loss_tokens", pass.Batch.TargetCount, count, 0);
        model.Loss(pass, 1 / count, total);
        var expected = reference.Doubles("token_nll" + suffix);
        var columns = reference.ShapeOf("token_nll" + suffix)[1];
        var nll = pass.Head.Nll.ReadDoubles();
        for (var (n, i) = (0, 0); n < batch.Tokens.Length; n++)
        {
            if (batch.Targets[n] >= 0)
            {
                var place = (batch.Places[n] / (columns + 1) * columns) + (batch.Places[n] % (columns + 1));
                reference.Compare(
                    $"token_nll{suffix}[{place}]", nll[i++], expected[place], reference.Tolerance("token_nll_atol"));
            }
        }

        var loss = total.ReadDoubles()[0] / count;
        reference.Compare($"loss{suffix}", loss, reference.Tolerance("loss_atol"));
        reference.Compare($"loss{suffix}_fp64_independent", loss, reference.Tolerance("loss_atol"));
    }

    /// <summary>One linear by itself, with the activations that the reference stack gave it.</summary>
    private static void CheckLinears(ReferenceCase reference, IBackend backend, LlamaWeights weights)
    {
        const string Prefix = "linear.";
        foreach (var name in reference.TensorNames(Prefix).Where(n => n.EndsWith(".x", StringComparison.Ordinal)))
        {
            var module = name[Prefix.Length..^2];
            var weight = weights[module + ".weight"].Value;
            CheckActivations(reference, Prefix + module, ((Int8Format)weight.Format).Threshold ?? 0);
            using var arena = new Arena(backend, "linear");
            var x = arena.Take(reference.ShapeOf(name), backend.Activation, "x");
            var y = arena.Take(reference.ShapeOf($"{Prefix}{module}.y"), backend.Activation, "y");
            var dx = arena.Take(x.Shape, backend.Activation, "dx");
            var dy = arena.Take(y.Shape, backend.Activation, "dy");
            arena.Commit();
            x.Write(reference.Doubles(name));
            backend.Linear.Forward(x, weight, y);
            reference.Compare(
                $"{module} y", y.ReadDoubles(), reference.Doubles($"{Prefix}{module}.y"),
                reference.Tolerance("linear_y_atol"));
            if (reference.TensorNames($"{Prefix}{module}.dy").Any())
            {
                dy.Write(reference.Doubles($"{Prefix}{module}.dy"));
                backend.Linear.BackwardInput(dy, weight, dx, accumulate: false);
                reference.Compare(
                    $"{module} dx", dx.ReadDoubles(), reference.Doubles($"{Prefix}{module}.dx"),
                    reference.Tolerance("linear_dx_atol"));
            }
        }
    }

    /// <summary>Codes, row scales and columns of a linear's activations, exactly.</summary>
    private static void CheckActivations(ReferenceCase reference, string linear, float threshold)
    {
        var shape = reference.ShapeOf(linear + ".x");
        var (rows, columns) = (shape[0], shape[1]);
        var x = Array.ConvertAll(reference.Doubles(linear + ".x"), value => (float)value);
        Int8Quantizer.RoundToHalf(x, x);
        var limit = threshold > 0 ? threshold : float.PositiveInfinity;
        var apart = Enumerable.Range(0, columns)
            .Where(i => Enumerable.Range(0, rows).Any(n => MathF.Abs(x[(n * columns) + i]) >= limit)).ToArray();
        var expected = reference.TensorNames(linear + ".outlier_columns").Any()
            ? reference.Doubles(linear + ".outlier_columns") : [];
        reference.Compare("outlier columns", Array.ConvertAll(apart, i => (double)i), expected, 0);
        var (q, scales) = (reference.Doubles(linear + ".q"), reference.Doubles(linear + ".row_absmax"));
        for (var n = 0; n < rows; n++)
        {
            var row = x.AsSpan(n * columns, columns);
            var most = Int8Quantizer.Absmax(row, limit);
            reference.Compare($"row absmax[{n}]", most, scales[n], 0);
            foreach (var i in apart)
            {
                row[i] = 0;
            }

            Int8Quantizer.QuantizeInPlace(row, most);
            reference.Compare(
                $"q of row {n}", Array.ConvertAll(row.ToArray(), v => (double)v), q.AsSpan(n * columns, columns), 0);
        }
    }

    private static LoadForm FormOf(ReferenceCase reference, LlamaConfig config)
    {
        var how = reference.Field("quantization");
        var stored = config.Quantization!;
        Assert.That(stored.As == LoadAs.Nf4 ? "nf4" : "int8", Is.EqualTo(how.GetProperty("method").GetString()));
        if (stored.As == LoadAs.Nf4)
        {
            Assert.That(stored.Nested, Is.EqualTo(how.GetProperty("double_quant").GetBoolean()));
            return LoadForm.Stored;
        }

        return how.GetProperty("activations").GetString() == "int8" ? LoadForm.Stored : new(LoadAs.Int8Weights);
    }

    private static double ThresholdOf(ReferenceCase reference, LlamaConfig config) =>
        reference.Field("quantization").TryGetProperty("threshold", out var threshold)
            ? threshold.GetDouble() : config.Quantization!.Threshold;
}
