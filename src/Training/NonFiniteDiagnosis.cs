using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Kernels;

namespace SafeLlama.Training;

/// <summary>Finds the source of a non-finite step by running its micro-batches once more.</summary>
/// <remarks>The parameters are still those of the last good step, and dropout draws the same numbers again.</remarks>
internal static class NonFiniteDiagnosis
{
    /// <summary>The error that names step, rows and tensor: exit code 5.</summary>
    public static SafeLlamaException Explain(Trainer trainer, IReadOnlyList<PackedBatch> microBatches)
    {
        var step = trainer.StepsDone;
        trainer.StepsDone = step - 1;
        trainer.Objective.Begin(trainer.Model, trainer.Workspace, microBatches);
        for (var m = 0; m < microBatches.Count; m++)
        {
            if (Find(trainer, microBatches[m], m) is { } found)
            {
                return Error(step, found.Row, found.Tensor);
            }
        }

        return Error(step, Rows(microBatches.SelectMany(b => b.Examples)),
            "the global gradient norm, by overflow of its sum");
    }

    private static (string Row, string Tensor)? Find(Trainer trainer, PackedBatch packed, int microBatch)
    {
        var model = trainer.Model;
        trainer.ClearGradients();
        var pass = trainer.Upload(packed, microBatch);
        model.Forward(pass);
        for (var layer = 0; layer <= model.Config.Layers; layer++)
        {
            if (FirstRow(pass.Activations.Hidden(layer)) is { } row)
            {
                return (Name(packed.ExampleAt(row)), layer == 0 ? "the embedded tokens"
                    : $"the output of model.layers.{layer - 1}");
            }
        }

        trainer.ScratchTotal.Clear();
        trainer.Objective.Loss(model, pass, packed, trainer.Objective.Scales([packed])[0], trainer.ScratchTotal);
        var losses = pass.Head.Nll.ReadDoubles();
        for (var target = 0; target < packed.TargetCount; target++)
        {
            if (!double.IsFinite(losses[target]))
            {
                return (Name(packed.ExampleAt(pass.Batch.TargetRows.ReadInts()[target])), "the loss");
            }
        }

        model.Backward(pass);
        var gradient = model.Parameters.FirstOrDefault(p => FirstRow(p.Gradient) is not null);
        return gradient is null ? null : (Rows(packed.Examples), $"the gradient of {gradient.Name}");
    }

    private static int? FirstRow(Tensor tensor)
    {
        var place = Array.FindIndex(tensor.ReadDoubles(), v => !double.IsFinite(v));
        return place < 0 ? null : place / tensor.Columns;
    }

    private static string Rows(IEnumerable<PackedExample> examples)
    {
        var all = examples.ToList();
        return string.Join(", ", all.Take(4).Select(Name)) + (all.Count > 4 ? $" and {all.Count - 4} more" : "");
    }

    private static string Name(PackedExample example) =>
        example.Source == default ? example.Id : $"{example.Id} ({example.Source})";

    private static SafeLlamaException Error(int step, string rows, string tensor) => new(
        ExitCode.NonFinite,
        $"Step {step}: {tensor} is not finite, in {rows}. The update was skipped and nothing was saved after step "
        + $"{step - 1}.",
        null, "lower `LearningRate`", "lower `MaxGradNorm`", "look at these rows");
}
