using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>An adapter from PEFT over a frozen base: logits, loss, adapter gradients and merged weights.</summary>
internal static class LoraParity
{
    public static void Check(IBackend backend, ReferenceCase reference) => Check(backend, reference, merges: true);

    /// <param name="backend">What computes.</param>
    /// <param name="reference">What it should find.</param>
    /// <param name="merges">Whether to merge too, and to compare with the base: three more passes.</param>
    public static void Check(IBackend backend, ReferenceCase reference, bool merges)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder);
        using var adapter = PeftFolder.Load(backend, config, reference.FolderOf("adapter"), trainable: true);
        CheckAdapter(reference, adapter);
        var batch = ReferenceBatch.Of(reference);
        using var model = new Llama(backend, weights, adapter, batch.Positions.Max() + 1);
        using var workspace = new Workspace(model, batch.Tokens.Length, forBackward: true);
        var pass = batch.Upload(workspace);
        model.Forward(pass);
        ForwardParity.CheckLogits(reference, model, pass, batch, reference.Tolerance("logits_atol"));
        var adapted = AllLogits(model, pass);
        ForwardParity.CheckLoss(reference, model, pass, batch);
        model.Backward(pass);
        var tolerance = reference.Tolerance("grad_max_abs_over_tensor_absmax");
        var named = adapter.Parameters.ToDictionary(p => p.Name, p => p.Gradient.ReadDoubles());
        foreach (var name in reference.TensorNames("grad."))
        {
            reference.CompareToLargest(name, named[name["grad.".Length..]], tolerance);
        }

        ForwardParity.CheckNorm(reference, adapter.Parameters, tolerance);
        if (!merges)
        {
            return;
        }

        CheckMerged(backend, reference, config, weights, adapter, batch);
        CheckEffect(reference, backend, weights, batch, adapted);
        reference.Skip("lora_config");
        reference.MustBeReadWhole();
    }

    private static void CheckAdapter(ReferenceCase reference, LoraAdapter adapter)
    {
        reference.Compare("trainable_params", adapter.ParameterCount, 0);
        foreach (var scale in reference.Field("scaling").EnumerateObject())
        {
            reference.Compare(
                $"scaling of {scale.Name}", adapter.Find(scale.Name)!.Scale, scale.Value.GetDouble(), 1e-12);
        }

        reference.Compare(
            "scaling (count)", adapter.Pairs.Count, reference.Field("scaling").EnumerateObject().Count(), 0);
    }

    /// <summary>
    /// Merging writes a plain checkpoint; it gives the expected weights, and the adapter's loss without the adapter.
    /// </summary>
    private static void CheckMerged(
        IBackend backend, ReferenceCase reference, LlamaConfig config, LlamaWeights weights, LoraAdapter adapter,
        ReferenceBatch batch)
    {
        var folder = TestFiles.NewFolder();
        AdapterMerge.Write(weights, adapter, Path.Combine(folder, "model.safetensors"));
        using var merged = LlamaWeights.Load(backend, config, folder);
        foreach (var name in reference.TensorNames("merged."))
        {
            var value = merged[name["merged.".Length..]].Value.ReadDoubles();
            reference.CompareMerged(name, value);
        }

        using var model = new Llama(backend, merged, adapter: null, batch.Positions.Max() + 1);
        using var workspace = new Workspace(model, batch.Tokens.Length, forBackward: false);
        var pass = batch.Upload(workspace);
        model.Forward(pass);
        ForwardParity.CheckLogits(reference, model, pass, batch, reference.Tolerance("merged_logits_atol"));
        reference.Compare("loss_merged", MeanLoss(model, pass), reference.Tolerance("loss_atol"));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The adapter changes the model by as much as the reference says.</summary>
    private static void CheckEffect(
        ReferenceCase reference, IBackend backend, LlamaWeights weights, ReferenceBatch batch, double[] adapted)
    {
        using var model = new Llama(backend, weights, adapter: null, batch.Positions.Max() + 1);
        using var workspace = new Workspace(model, batch.Tokens.Length, forBackward: false);
        var pass = batch.Upload(workspace);
        model.Forward(pass);
        var effect = reference.Field("adapter_effect");
        var change = reference.Number("loss") - MeanLoss(model, pass);
        reference.Compare(
            "adapter_effect.loss_change", change, effect.GetProperty("loss_change").GetDouble(),
            2 * reference.Tolerance("loss_atol"));
        var largest = AllLogits(model, pass).Zip(adapted, (b, a) => Math.Abs(a - b)).Max();
        reference.Compare(
            "adapter_effect.max_abs_logit_change_vs_base", largest,
            effect.GetProperty("max_abs_logit_change_vs_base").GetDouble(), 2 * reference.Tolerance("logits_atol"));
    }

    private static double[] AllLogits(Llama model, Pass pass) =>
        ForwardParity.Logits(model, pass, [.. Enumerable.Range(0, pass.Batch.Rows)]);

    private static double MeanLoss(Llama model, Pass pass)
    {
        using var arena = new Arena(model.Backend, "total");
        var total = arena.Take(new(1), DType.Float64, "total");
        arena.Commit();
        model.Loss(pass, 1.0 / pass.Batch.TargetCount, total);
        return total.ReadDoubles()[0] / pass.Batch.TargetCount;
    }
}
