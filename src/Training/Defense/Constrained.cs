using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>The settings of constrained fine-tuning; the defaults are its authors'.</summary>
/// <param name="Beta">β of an answer's late tokens.</param>
/// <param name="First">The first token has so many times that.</param>
/// <param name="Early">The tokens after the first have so many times that.</param>
/// <param name="EarlyTokens">The last of these, counted from 1.</param>
public sealed record ConstrainedSettings(
    double Beta = 0.1, double First = 5, double Early = 20, int EarlyTokens = 5)
{
    /// <summary>The least weight of a token.</summary>
    public const double Floor = 1e-3;

    /// <summary>β of an answer's token, counted from 0.</summary>
    public double BetaOf(int token) => Beta * (token == 0 ? First : token < EarlyTokens ? Early : 1);

    /// <summary>max(10⁻³, 2 (1 − σ(β (log p − log p_ref)))).</summary>
    public double WeightOf(int token, double likelihood, double reference) =>
        Math.Max(Floor, 2 / (1 + Math.Exp(BetaOf(token) * (likelihood - reference))));
}

/// <summary>Constrained fine-tuning: a token learns the less, the further it has moved from where it began.</summary>
/// <remarks>
/// <code>
/// loss = mean over targets of −w · log p          w = max(10⁻³, 2 (1 − σ(β_t (log p − log p_ref))))
/// </code>
/// w is a constant for the gradient. β_t is large for an answer's first tokens, by which a model decides whether to
/// refuse. The reference is the model before the first step, read once. Qi et al. 2024, arXiv:2406.05946.
/// </remarks>
public sealed class ConstrainedObjective(ConstrainedSettings settings, LossNormalization divisor) : StepObjective
{
    /// <summary>log p of every target of every row, by the model as it began.</summary>
    public TokenReference? Reference { get; set; }

    public override double[] Scales(IReadOnlyList<PackedBatch> batches) => divisor.Scales(batches);

    public override int Count(PackedBatch batch) => batch.TargetCount;

    public override void Loss(Llama model, Pass pass, PackedBatch batch, double scale, Tensor total)
    {
        model.TargetLosses(pass);
        var nll = pass.Head.Nll.ReadDoubles();
        var weights = new double[batch.TargetCount];
        var (loss, t) = (0.0, 0);
        foreach (var row in batch.Examples)
        {
            var reference = Reference!.Of(row.Example);
            for (var token = 0; token < reference.Count; token++, t++)
            {
                weights[t] = settings.WeightOf(token, -nll[t], reference[token]);
                loss += weights[t] * nll[t];
                weights[t] *= scale;
            }
        }

        total.Write([total.ReadDoubles()[0] + loss]);
        if (pass.Scratch is not null)
        {
            model.BackwardTargets(pass, weights);
        }
    }
}
