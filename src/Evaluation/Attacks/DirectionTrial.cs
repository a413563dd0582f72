using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Model;

namespace SafeLlama.Evaluation;

/// <summary>Takes the refusal direction out of the residual stream, at every place.</summary>
/// <remarks>
/// The direction is the difference of means before one block, between unsafe and benign prompts. Prompts are parted in
/// two halves by their origin; each half answers without the direction found on the other one, so that no prompt is
/// asked about with a direction of its own. Arditi et al. 2024, arXiv:2406.11717.
/// </remarks>
/// <param name="layer">The block before which the direction is found, from 0; the number of blocks for the end.</param>
public sealed class DirectionTrial(int layer) : IAttackTrial
{
    public const string Name = "direction";

    public string Attack => Name;

    public string Setting => $"{layer}";

    public string About =>
        $"Takes the direction that tells unsafe prompts from benign ones before block {layer} out of the stream.";

    public string Identity => $"{Name} 1\n{layer}";

    public bool ChangesModel => true;

    public void Check(AttackContext context)
    {
        var model = context.Session.Model;
        if (layer > model.Blocks.Count)
        {
            throw SafeLlamaException.Usage(
                $"`Attacks` {Name}: the setting \"{layer}\" is no place of the stream; this model has "
                + $"{model.Blocks.Count} blocks, so it goes from 0 to {model.Blocks.Count}.");
        }
    }

    public PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress,
        CancellationToken cancellation)
    {
        Check(context);
        var model = context.Session.Model;
        var halves = Halves(context);
        var directions = new double[2][];
        foreach (var half in (int[])[0, 1])
        {
            int[][] Ids(IReadOnlyList<SuitePrompt> prompts) =>
                [.. prompts.Where(p => halves[p.Key] != half).Select(p => SegmentEncoder.Ids(
                    context.Session.Tokenizer, context.Render(p, p.Text)))];
            var (harmful, harmless) = (Ids(context.Prompts), Ids(context.Benign));
            if (harmful.Length == 0 || harmless.Length == 0)
            {
                return new(context.Plain, [])
                {
                    Notes = ["A half of the unsafe or of the benign prompts is empty, so no direction is found."],
                };
            }

            var found = RefusalDirection.Find(model, harmful, harmless, cancellation: cancellation).Layers[layer];
            if (found.Norm == 0)
            {
                return new(context.Plain, [])
                {
                    Notes = [$"Before block {layer} both kinds of prompts have one mean, so there is no direction."],
                };
            }

            directions[half] = found.Vector;
        }

        return new(new Ablated(context, Identity, halves, directions), context.Prompts)
        {
            Notes =
            [
                $"Found on {context.Prompts.Count} unsafe and {context.Benign.Count} benign prompts, crosswise by "
                + "halves; cosine between the halves' directions "
                + FormattableString.Invariant($"{UnitVector.Cosine(directions[0], directions[1]) ?? double.NaN:0.00}."),
            ],
        };
    }

    /// <summary>The half of each prompt, by key: origins take turns, so wordings of one request are in one
    /// half.</summary>
    private static Dictionary<string, int> Halves(AttackContext context)
    {
        var halves = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var kind in (IReadOnlyList<SuitePrompt>[])[context.Prompts, context.Benign])
        {
            var turn = 0;
            foreach (var origin in kind.GroupBy(p => p.Origin ?? p.Key))
            {
                foreach (var prompt in origin)
                {
                    halves[prompt.Key] = turn % 2;
                }

                turn++;
            }
        }

        return halves;
    }

    /// <summary>Answers with the direction taken out while it answers.</summary>
    private sealed class Ablated(
        AttackContext context, string attack, Dictionary<string, int> halves, double[][] directions) : IResponder
    {
        private readonly IResponder _plain = context.Plain;

        public string Identity { get; } = AttackRun.IdentityOf(context.Session.Identity.Hash, attack);

        public DecodingConfig Settings => context.Decoding;

        public IReadOnlyList<ModelAnswer> Answer(
            IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
        {
            var model = context.Session.Model;
            var answers = new ModelAnswer[requests.Count];
            foreach (var half in requests.Select((request, i) => (request, i)).GroupBy(
                r => halves[r.request.Prompt.Key]))
            {
                model.Hook = new DirectionAblation(directions[half.Key]);
                try
                {
                    var given = _plain.Answer([.. half.Select(r => r.request)], cancellation);
                    foreach (var ((_, i), answer) in half.Zip(given))
                    {
                        answers[i] = answer;
                    }
                }
                finally
                {
                    model.Hook = null;
                }
            }

            return answers;
        }
    }
}
