using System.Text.Json.Serialization;
using SafeLlama.Data;

namespace SafeLlama.Training;

/// <summary>The divisor of the summed loss of a step.</summary>
public enum LossNormalization
{
    /// <summary>All target tokens of the step: the mean loss of a token, however the step is cut into
    /// micro-batches.</summary>
    Targets,

    /// <summary>
    /// All labels of the step before the shift, as Hugging Face's Trainer counts since transformers 4.46: a labeled
    /// first token is counted, although nothing predicts it.
    /// </summary>
    [JsonStringEnumMemberName("hf")]
    HuggingFace,

    /// <summary>
    /// The targets of each micro-batch, and the number of micro-batches, as before transformers 4.46: a token of a
    /// short micro-batch weighs more.
    /// </summary>
    Legacy,
}

public static class LossDivisors
{
    /// <summary>The factor on the summed loss of each micro-batch; the step's loss is the sum of the scaled
    /// ones.</summary>
    public static double[] Scales(this LossNormalization divisor, IReadOnlyList<PackedBatch> microBatches)
    {
        var (targets, labels) = (0, 0);
        for (var m = 0; m < microBatches.Count; m++)
        {
            targets += microBatches[m].TargetCount;
            labels += microBatches[m].LabelCount;
        }

        var scales = new double[microBatches.Count];
        for (var m = 0; m < scales.Length; m++)
        {
            scales[m] = 1.0 / divisor switch
            {
                LossNormalization.HuggingFace => labels,
                LossNormalization.Legacy => (double)microBatches[m].TargetCount * microBatches.Count,
                _ => targets,
            };
        }

        return scales;
    }
}
