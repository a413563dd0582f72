using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests.Parity;

/// <summary>Preference tuning with products in bf16, against TRL's numbers of fp32.</summary>
/// <remarks>
/// <para>The error of a token's log-probability is at most <see cref="BrainTolerance.Forward"/> of the largest logit,
/// the largest of 10⁵ independent errors, so 4.5 times a typical one. An answer of n tokens adds n of them up,
/// typically to √n times one; the largest of a case's few dozen answers is off by three times that.</para>
/// <para>A loss may be as far off as it is where its likelihoods are off by as much, and so may its slopes. A gradient
/// is that of the ordinary loss times a slope: off by <see cref="BrainTolerance.Backward"/>, and by as much as the
/// slope is. Policy and reference are both rounded: a ratio is off by √2 times as much as either. Where a hinge bends,
/// a slope may be all or nothing, and its gradient proves little; the smooth losses stay within a fifth.</para>
/// </remarks>
[Category("Parity")]
public sealed class PreferenceBf16Tests
{
    /// <summary>No case has logits to look at; those of such models reach 10, as in training runs.</summary>
    private const double LargestLogit = 10;

    private static IEnumerable<string> Cases => ReferenceCase.Names("preference");

    [Test]
    public void A_preference_loss_in_bf16_agrees_with_the_reference_stack(
        [ValueSource(nameof(Cases))] string name, [Values(1, 5, 12)] int microBatch)
    {
        using var backend = new CpuBackend(2, DType.BFloat16);
        using var reference = ReferenceCase.Open(name);
        Check(backend, reference, microBatch);
    }

    /// <summary>A wrong sign, scale or mask is far outside.</summary>
    [TestCase("A-mha/preference_dpo_sigmoid", "policy_chosen_logps")]
    [TestCase("A-mha/preference_dpo_sigmoid", "losses")]
    [TestCase("A-mha/preference_kto", "losses")]
    [TestCase(
        "A-mha/preference_dpo_sigmoid", "grad.base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight")]
    public void A_spoiled_tensor_fails_in_bf16_too(string name, string tensor)
    {
        using var backend = new CpuBackend(1, DType.BFloat16);
        using var fixtures = new SpoiledFixtures();
        fixtures.SpoilTensor(name, tensor, everywhere: true);
        using var reference = ReferenceCase.OpenIn(fixtures.Folder, name);
        Assert.That(() => Check(backend, reference, microBatch: 6), Throws.InstanceOf<ParityException>());
    }

    private static void Check(IBackend backend, ReferenceCase reference, int microBatch)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder);
        using var adapter = PeftFolder.Load(backend, config, reference.FolderOf("adapter"), trainable: true);
        using var policy = new Llama(backend, weights, adapter, maxLength: 32);
        using var plain = new Llama(backend, weights, null, maxLength: 32);
        using var workspace = new Workspace(policy, microBatch * 40, forBackward: true);
        using var room = new Workspace(plain, microBatch * 40, forBackward: false);
        var (settings, examples) = (PreferenceParity.Settings(reference), PreferenceParity.Examples(reference));
        var now = ReferenceLikelihoods.Compute(policy, workspace, examples, microBatch);
        var before = settings.Objective.NeedsReference()
            ? ReferenceLikelihoods.Compute(plain, room, examples, microBatch) : null;
        using var trainer = new Trainer(
            policy, workspace,
            new TrainerSettings(new(ScheduleShape.Constant, 1e-3, 0, 1))
            {
                Objective = new PreferenceObjective(settings) { Reference = before },
            },
            examples.Count);
        var report = trainer.Step(BatchPacker.Step(examples, microBatch));
        foreach (var (name, found, place) in Likelihoods(examples, now, before))
        {
            var expected = reference.Doubles(name);
            for (var i = 0; i < examples.Count; i++)
            {
                reference.Compare(
                    $"{name}[{i}]", found.Of(examples[i])[place], expected[i],
                    Sum(name.StartsWith("kl", StringComparison.Ordinal)
                        ? examples[i].Mismatched!.TargetCount : examples[i].Sequences[place].AnswerCount));
            }
        }

        var (loss, slope) = Corners(reference, settings, examples);
        loss += settings.Objective == Objective.Orpo ? BrainTolerance.Mean * LargestLogit : 0;
        reference.Compare("loss", report.Loss, reference.Number("loss"), loss);
        var tolerance = BrainTolerance.Backward + slope;
        TestContext.Out.WriteLine($"loss {report.Loss - reference.Number("loss"):G2} of {loss:G2}, gradient {tolerance:G2}");
        reference.Compare(
            "grad_global_norm", report.GradientNorm, tolerance * reference.Number("grad_global_norm"));
        foreach (var parameter in policy.Parameters)
        {
            reference.CompareToLargest("grad." + parameter.Name, parameter.Gradient.ReadDoubles(), tolerance);
        }
    }

    /// <summary>What a sum of log-probabilities over so many tokens may be off by.</summary>
    private static double Sum(int tokens) => 3 * Math.Sqrt(tokens) * BrainTolerance.Forward / 4.5 * LargestLogit;

    private static IEnumerable<(string Name, ReferenceLikelihoods Found, int Place)> Likelihoods(
        IReadOnlyList<PreferenceExample> examples, ReferenceLikelihoods now, ReferenceLikelihoods? before)
    {
        string[] names = examples[0].Kind == PreferenceKind.Pair ? ["chosen_logps", "rejected_logps"]
            : examples[0].Mismatched is null ? ["logps"] : ["logps", "kl"];
        for (var place = 0; place < names.Length; place++)
        {
            foreach (var (of, found) in new[] { ("policy", now), ("reference", before) })
            {
                if (found is not null)
                {
                    yield return (names[place] == "kl" ? $"kl_{of}_logps" : $"{of}_{names[place]}", found, place);
                }
            }
        }
    }

    /// <summary>What the mean loss, and a slope beside the largest, are off by where likelihoods are.</summary>
    private static (double Loss, double Slope) Corners(
        ReferenceCase reference, PreferenceSettings settings, IReadOnlyList<PreferenceExample> examples)
    {
        var (losses, slopes, most) = (0.0, 0.0, 0.0);
        for (var i = 0; i < examples.Count; i++)
        {
            var (loss, slope) = Of(i, 0, 0);
            most = Math.Max(most, slope.Max(Math.Abs));
            reference.Compare($"losses[{i}]", loss, reference.Doubles("losses")[i], 1e-4);
            var (away, turned) = (0.0, 0.0);
            foreach (var (first, second) in new[] { (-1, -1), (-1, 1), (1, -1), (1, 1) })
            {
                var (other, steep) = Of(i, first, second);
                away = Math.Max(away, Math.Abs(other - loss));
                turned = Math.Max(turned, steep.Zip(slope).Max(pair => Math.Abs(pair.First - pair.Second)));
            }

            losses += away / examples.Count;
            slopes += turned * turned / examples.Count;
        }

        // Slopes are off one way and the other, as many as there are examples.
        return (losses, Math.Sqrt(slopes) / most);

        (double Loss, double[] Slopes) Of(int i, int first, int second)
        {
            var example = examples[i];
            if (example.Kind == PreferenceKind.Pair)
            {
                var (l, c, r) = PreferenceLoss.Pair(
                    settings, Answer("chosen_logps", 0, first), Answer("rejected_logps", 1, second));
                return (l, [c.Slope, r.Slope]);
            }

            var point = reference.Has("kl_given") ? reference.Number("kl_given") : reference.Number("kl");
            var (loss, answer) = PreferenceLoss.Single(
                settings, Answer("logps", 0, first), example.Kind == PreferenceKind.Desirable, Math.Max(0, point));
            return (loss, [answer.Slope]);

            AnswerLikelihood Answer(string name, int side, int sign)
            {
                var count = example.Sequences[side].AnswerCount;
                var before = settings.Objective.NeedsReference() ? reference.Doubles("reference_" + name)[i] : 0;
                return new(
                    reference.Doubles("policy_" + name)[i] + (sign * Math.Sqrt(2) * Sum(count)), count, before);
            }
        }
    }
}
