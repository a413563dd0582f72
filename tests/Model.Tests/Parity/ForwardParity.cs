using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>Logits, losses and every gradient of a whole model against the reference stack.</summary>
internal static class ForwardParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = reference.Has("grad_summary")
            ? LlamaWeights.LoadTrainable(backend, config, reference.ModelFolder)
            : LlamaWeights.Load(backend, config, reference.ModelFolder);
        var batch = ReferenceBatch.Of(reference);
        using var model = new Llama(backend, weights, adapter: null, batch.Positions.Max() + 1);
        using var workspace = new Workspace(model, batch.Tokens.Length, forBackward: reference.Has("grad_summary"));
        var pass = batch.Upload(workspace);
        model.Forward(pass);
        CheckHidden(reference, config, pass);
        CheckLogits(reference, model, pass, batch, reference.Tolerance("logits_atol"));
        CheckLoss(reference, model, pass, batch);
        if (reference.Has("grad_summary"))
        {
            model.Backward(pass);
            CheckGradients(reference, weights.Parameters);
        }

        reference.Skip("sum_nll_fp64", "logits_std", "weights_note", "position_ids");
        reference.MustBeReadWhole();
    }

    /// <summary>Logits of the batch rows that the case lists, at real tokens.</summary>
    public static void CheckLogits(ReferenceCase reference, Llama model, Pass pass, ReferenceBatch batch, double atol)
    {
        var (shape, expected) = (reference.ShapeOf("logits"), reference.Doubles("logits"));
        var (columns, vocabulary) = (shape[1], shape[2]);
        var listed = reference.Has("logits_rows")
            ? reference.Field("logits_rows").EnumerateArray().Select(r => r.GetInt32()).ToArray()
            : [.. Enumerable.Range(0, shape[0])];
        var logits = Logits(model, pass, [.. Enumerable.Range(0, batch.Tokens.Length)]);
        var rtol = reference.Tolerance("logits_rtol");
        for (var n = 0; n < batch.Tokens.Length; n++)
        {
            var row = Array.IndexOf(listed, batch.Places[n] / columns);
            if (row >= 0)
            {
                var place = ((row * columns) + (batch.Places[n] % columns)) * vocabulary;
                reference.Compare(
                    $"logits of row {n}", logits.AsSpan(n * vocabulary, vocabulary),
                    expected.AsSpan(place, vocabulary), atol, rtol);
            }
        }
    }

    /// <summary>The logits of some rows, one behind the other.</summary>
    public static double[] Logits(Llama model, Pass pass, int[] rows)
    {
        using var arena = new Arena(model.Backend, "rows");
        var all = arena.Take(new(rows.Length), DType.Int32, "rows");
        arena.Commit();
        all.Write(rows);
        return [.. Enumerable.Range(0, rows.Length).Chunk(pass.Head.ChunkRows)
            .SelectMany(part => model.Logits(pass, all.SliceVector(part[0], part.Length)).ReadDoubles())];
    }

    /// <summary>The mean loss, and the loss of each token where the case gives it.</summary>
    public static void CheckLoss(ReferenceCase reference, Llama model, Pass pass, ReferenceBatch batch)
    {
        using var arena = new Arena(model.Backend, "total");
        var total = arena.Take(new(1), DType.Float64, "total");
        arena.Commit();
        var count = reference.Number("num_loss_tokens");
        reference.Compare("num_loss_tokens", pass.Batch.TargetCount + batch.PredictedFromPadding, count, 0);
        model.Loss(pass, 1 / count, total);
        var sum = total.ReadDoubles()[0];
        if (reference.Has("loss_merged"))
        {
            reference.Compare("loss", sum / count, reference.Tolerance("loss_atol"));
            reference.Compare("loss_fp64_independent", sum / count, reference.Tolerance("loss_atol"));
            return;
        }

        // What a padded row predicts exists only in a padded batch: it is taken over, not compared.
        var expected = reference.Doubles("token_nll");
        var columns = reference.ShapeOf("token_nll")[1];
        var nll = pass.Head.Nll.ReadDoubles();
        var compared = new HashSet<int>();
        for (var (n, i) = (0, 0); n < batch.Tokens.Length; n++)
        {
            if (batch.Targets[n] >= 0)
            {
                var place = (batch.Places[n] / (columns + 1) * columns) + (batch.Places[n] % (columns + 1));
                reference.Compare(
                    $"token_nll[{place}]", nll[i++], expected[place], reference.Tolerance("token_nll_atol"));
                compared.Add(place);
            }
        }

        var padded = Enumerable.Range(0, expected.Length).Where(p => expected[p] != 0 && !compared.Contains(p))
            .ToList();
        reference.Compare("token_nll of padded rows (count)", padded.Count, batch.PredictedFromPadding, 0);
        sum += padded.Sum(p => expected[p]);
        reference.Compare("loss", sum / count, reference.Tolerance("loss_atol"));
        reference.Compare("loss_fp64_independent", sum / count, reference.Tolerance("loss_atol"));
    }

    /// <summary>Every gradient given whole, the summary of the others, and the norm over all.</summary>
    private static void CheckGradients(ReferenceCase reference, IReadOnlyList<Parameter> parameters)
    {
        var tolerance = reference.Tolerance("grad_max_abs_over_tensor_absmax");
        var named = parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles());
        foreach (var name in reference.TensorNames("grad."))
        {
            reference.CompareToLargest(name, named[name["grad.".Length..]], tolerance);
        }

        foreach (var summary in reference.Field("grad_summary").EnumerateObject())
        {
            var (gradient, largest) = (named[summary.Name], summary.Value.GetProperty("abs_max").GetDouble());
            reference.Compare($"{summary.Name} abs_max", gradient.Max(Math.Abs), largest, tolerance * largest);
            var l2 = summary.Value.GetProperty("l2").GetDouble();
            reference.Compare($"{summary.Name} l2", Math.Sqrt(gradient.Sum(g => g * g)), l2, tolerance * l2);

            // A sum of n numbers is off by at most n times what each may be.
            reference.Compare(
                $"{summary.Name} sum", gradient.Sum(), summary.Value.GetProperty("sum").GetDouble(),
                tolerance * largest * Math.Sqrt(gradient.Length));
        }

        CheckNorm(reference, parameters, tolerance);
    }

    public static void CheckNorm(ReferenceCase reference, IEnumerable<Parameter> parameters, double tolerance)
    {
        var norm = Math.Sqrt(parameters.Sum(p => p.Gradient.ReadDoubles().Sum(g => g * g)));
        reference.Compare("grad_global_norm", norm, tolerance * reference.Number("grad_global_norm"));
    }

    private static void CheckHidden(ReferenceCase reference, LlamaConfig config, Pass pass)
    {
        if (reference.TensorNames("rope.inv_freq").Any())
        {
            reference.Compare(
                "rope.inv_freq", config.Rope.Frequencies(config.HeadDim), reference.Doubles("rope.inv_freq"), 0, 1e-6);
        }

        // Batch row 0. The last one is after the final norm, which the loss head takes; its logits are compared
        // instead.
        foreach (var name in reference.TensorNames("hidden_states."))
        {
            var layer = int.Parse(name["hidden_states.".Length..]);
            var expected = reference.Doubles(name);
            var real = reference.Ints("attention_mask").Take(reference.ShapeOf(name)[1]).ToArray();
            if (layer == config.Layers || pass.Scratch is null)
            {
                continue;
            }

            var hidden = pass.Activations.Hidden(layer).ReadDoubles();
            for (var (t, n) = (0, 0); t < real.Length; t++)
            {
                if (real[t] == 1)
                {
                    var width = config.HiddenSize;
                    reference.Compare(
                        $"{name}[{t}]", hidden.AsSpan(n++ * width, width), expected.AsSpan(t * width, width),
                        reference.IsRounded ? BrainTolerance.Forward * expected.Max(Math.Abs) : 2e-4,
                        reference.IsRounded ? 0 : 1e-4);
                }
            }
        }
    }
}
