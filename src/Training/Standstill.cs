using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>Notices steps whose loss or gradient is exactly zero.</summary>
internal sealed class Standstill
{
    /// <summary>So many in a row are an error.</summary>
    private const int Limit = 3;

    private int _zeroLosses;
    private int _zeroGradients;

    /// <exception cref="SafeLlamaException">Nothing has been learned for several steps.</exception>
    public void Check(StepReport report)
    {
        _zeroLosses = report.Loss == 0 ? _zeroLosses + 1 : 0;
        _zeroGradients = report.GradientNorm == 0 ? _zeroGradients + 1 : 0;
        if (_zeroLosses == Limit)
        {
            throw SafeLlamaException.InvalidData(
                $"Step {report.Step}: the loss has been exactly 0 for {Limit} steps: every target is "
                + "certain, and nothing is learned. Are the answers part of the prompts, or the weights damaged?");
        }

        if (_zeroGradients == Limit)
        {
            throw new SafeLlamaException(
                ExitCode.NonFinite,
                $"Step {report.Step}: the gradient has been exactly 0 for {Limit} steps: "
                + "some weights have grown past what fp32 can square, and nothing is learned.",
                null, "lower `LearningRate`", "lower `MaxGradNorm`");
        }
    }
}
