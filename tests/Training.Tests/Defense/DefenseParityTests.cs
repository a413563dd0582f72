using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Training.Tests;

/// <summary>The formulas of defenses against the authors' code.</summary>
[Category("Parity")]
public sealed class DefenseParityTests
{
    [Test]
    public void Every_case_has_its_test() => Assert.That(
        ReferenceCase.Names("defence"), Is.EquivalentTo(new[] { "defence/lisa", "defence/safelora", "defence/soft_sft" }));

    [Test]
    public void Token_weights_and_their_gradient_agree_with_constrained_fine_tuning()
    {
        using var reference = ReferenceCase.Open("defence/soft_sft");
        var settings = new ConstrainedSettings(
            reference.Number("beta"), reference.Number("first_token_bias_factor"), reference.Number("bias_factor"),
            reference.Field("bias_length").GetInt32());
        Assert.That(reference.Number("weight_floor"), Is.EqualTo(ConstrainedSettings.Floor));
        var (rows, length) = (reference.ShapeOf("labels")[0], reference.ShapeOf("labels")[1]);
        var vocabulary = reference.ShapeOf("policy_logits")[2];
        var labels = reference.Ints("labels");
        var (policy, begun) = (reference.Doubles("policy_logits"), reference.Doubles("reference_logits"));
        int[] sizes = [rows * (length - 1)];
        var (beta, logps, references, weights, losses, papers) = (
            new double[sizes[0]], new double[sizes[0]], new double[sizes[0]], new double[sizes[0]],
            new double[sizes[0]], new double[sizes[0]]);
        var gradient = new double[policy.Length];
        var targets = labels.Select((label, i) => (label, i)).Count(t => t.label >= 0 && t.i % length > 0);
        for (var b = 0; b < rows; b++)
        {
            var token = 0;
            for (var t = 1; t < length; t++)
            {
                var label = labels[(b * length) + t];
                if (label < 0)
                {
                    continue;
                }

                var (at, from) = ((b * (length - 1)) + t - 1, ((b * length) + t - 1) * vocabulary);
                var p = Softmax(policy.AsSpan(from, vocabulary));
                (logps[at], references[at]) = (
                    Math.Log(p[label]), Math.Log(Softmax(begun.AsSpan(from, vocabulary))[label]));
                beta[at] = settings.BetaOf(token);
                weights[at] = settings.WeightOf(token, logps[at], references[at]);
                losses[at] = -weights[at] * logps[at];
                papers[at] = 2 / beta[at] * Math.Log(1 + Math.Exp(-beta[at] * (logps[at] - references[at])));
                for (var v = 0; v < vocabulary; v++)
                {
                    gradient[from + v] = weights[at] / targets * (p[v] - (v == label ? 1 : 0));
                }

                token++;
            }
        }

        reference.Compare("beta_t", beta, reference.Doubles("beta_t"), 1e-6);
        reference.Compare("policy_logps", logps, reference.Doubles("policy_logps"), reference.Tolerance("logps_atol"));
        reference.Compare(
            "reference_logps", references, reference.Doubles("reference_logps"), reference.Tolerance("logps_atol"));
        reference.Compare("weight", weights, reference.Doubles("weight"), reference.Tolerance("weight_atol"));
        reference.Compare("losses", losses, reference.Doubles("losses"), reference.Tolerance("losses_atol"));
        reference.Compare("paper_losses", papers, reference.Doubles("paper_losses"), reference.Tolerance("losses_atol"));
        reference.Compare("loss", losses.Sum() / targets, reference.Tolerance("loss_atol"));
        reference.Compare("loss_fp64_independent", losses.Sum() / targets, reference.Tolerance("loss_atol"));
        reference.Compare("paper_loss", papers.Sum() / targets, reference.Tolerance("loss_atol"));
        reference.CompareToLargest(
            "grad.policy_logits", gradient, reference.Tolerance("grad_max_abs_over_tensor_absmax"));
        reference.Skip("variant");
        reference.MustBeReadWhole();
    }

    [Test]
    public void Turns_anchors_and_gradients_agree_with_Lisa()
    {
        using var reference = ReferenceCase.Open("defence/lisa");
        using var backend = new ReferenceBackend();
        using var values = new Arena(backend, "values");
        using var gradients = new Arena(backend, "gradients");
        string[] names = ["p0", "p1"];
        Parameter[] parameters =
        [
            .. names.Select(name => new Parameter(
                name, values.Take(reference.ShapeOf("initial." + name), DType.Float64, name),
                gradients.Take(reference.ShapeOf("initial." + name), DType.Float64, name), Decays: false)),
        ];
        values.Commit();
        gradients.Commit();
        foreach (var parameter in parameters)
        {
            parameter.Value.Write(reference.Doubles("initial." + parameter.Name));
        }

        var settings = new LisaSettings(
            reference.Number("rho"), reference.Field("alignment_step").GetInt32(),
            reference.Field("finetune_step").GetInt32());
        var steps = reference.Field("steps").GetInt32();
        using var lisa = new Lisa(backend, settings, steps, parameters, (_, _) => []);
        var alignments = reference.ShapeOf("alignment_target.p0")[0];
        for (var t = 0; t < steps; t++)
        {
            Assert.That(
                settings.IsAlignment(t) ? "alignment" : "finetune", Is.EqualTo(reference.Field("state")[t].GetString()));
            var batch = settings.IsAlignment(t) ? settings.BatchOf(t) % alignments : settings.BatchOf(t);
            Assert.That(batch, Is.EqualTo(reference.Field("batch_used")[t].GetInt32()), $"step {t}");
            lisa.Begin(t);
            var loss = lisa.Value();
            reference.Compare(
                $"proximal_term[{t}]", loss, reference.Field("proximal_term")[t].GetDouble(),
                reference.Tolerance("loss_atol"));
            foreach (var p in parameters)
            {
                var goal = Part((settings.IsAlignment(t) ? "alignment" : "finetune") + "_target." + p.Name, batch);
                double[] pull = [.. p.Value.ReadDoubles().Zip(goal, (w, g) => w - g)];
                loss += pull.Sum(d => d * d) / 2;
                p.Gradient.Write(pull);
            }

            lisa.AddTo(parameters);
            reference.Compare(
                $"loss[{t}]", loss, reference.Field("loss")[t].GetDouble(), reference.Tolerance("loss_atol"));
            foreach (var p in parameters)
            {
                var gradient = p.Gradient.ReadDoubles();
                Agree($"grad.{p.Name}", gradient);
                p.Value.Write([.. p.Value.ReadDoubles().Zip(
                    gradient, (w, g) => w - (reference.Number("sgd_learning_rate") * g))]);
                Agree($"after.{p.Name}", p.Value.ReadDoubles());
            }

            void Agree(string name, double[] found) => reference.Compare(
                $"{name}[{t}]", found, Part(name, t), reference.Tolerance("tensors_atol"));
        }

        reference.Skip("variant");
        reference.MustBeReadWhole();

        double[] Part(string name, int index)
        {
            var all = reference.Doubles(name);
            var size = all.Length / reference.ShapeOf(name)[0];
            return all[(index * size)..((index + 1) * size)];
        }
    }

    [Test]
    public void Projections_cosines_and_chosen_updates_agree_with_SafeLoRA()
    {
        using var reference = ReferenceCase.Open("defence/safelora");
        var modules = reference.Field("modules").EnumerateArray().ToList();
        var (rank, threshold) = (reference.Field("lora_r").GetInt32(), reference.Number("threshold"));
        var byNumber = modules.Select(m => m.GetProperty("cosine").GetDouble()).Order()
            .ElementAt(reference.Field("num_proj_layers").GetInt32() - 1);
        foreach (var about in modules)
        {
            var module = about.GetProperty("module").GetString()!;
            var rows = reference.ShapeOf(module + ".base")[0];
            double[] v = [.. reference.Doubles(module + ".aligned").Zip(
                reference.Doubles(module + ".base"), (x, y) => x - y)];
            var (a, b) = (reference.Doubles(module + ".lora_A"), reference.Doubles(module + ".lora_B"));
            double[] identity = [.. Enumerable.Range(0, rows * rows).Select(i => i / rows == i % rows ? 1.0 : 0)];
            reference.CompareToLargest(
                module + ".C", SafeLora.Apply(v, rows, identity, rows, exact: false),
                reference.Tolerance("C_max_abs_over_tensor_absmax"));
            reference.CompareToLargest(
                module + ".C_exact", SafeLora.Apply(v, rows, identity, rows, exact: true),
                reference.Tolerance("C_max_abs_over_tensor_absmax"));
            var (published, exact) = (
                SafeLora.Apply(v, rows, b, rank, exact: false), SafeLora.Apply(v, rows, b, rank, exact: true));
            var cosine = SafeLora.Cosine(a, b, published, rank)!.Value;
            var tolerance = reference.Tolerance("cosine_atol");
            reference.Compare("cosine", cosine, about.GetProperty("cosine").GetDouble(), tolerance);
            reference.Compare("cosine_fp64", cosine, about.GetProperty("cosine_fp64").GetDouble(), tolerance);
            reference.Compare(
                "cosine_exact", SafeLora.Cosine(a, b, exact, rank)!.Value,
                about.GetProperty("cosine_exact").GetDouble(), tolerance);
            foreach (var (name, limit) in new[] { ("threshold", threshold), ("number", byNumber + tolerance) })
            {
                var projects = cosine <= limit;
                Assert.That(projects, Is.EqualTo(about.GetProperty("projected_by_" + name).GetBoolean()), module);
                reference.CompareToLargest(
                    $"{module}.lora_B_{name}", projects ? published : b,
                    reference.Tolerance("lora_B_max_abs_over_tensor_absmax"));
            }

            reference.CompareToLargest(
                module + ".lora_B_exact", exact, reference.Tolerance("lora_B_max_abs_over_tensor_absmax"));
        }

        reference.Skip("variant", "lora_alpha");
        reference.MustBeReadWhole();
    }

    private static double[] Softmax(ReadOnlySpan<double> logits)
    {
        var p = logits.ToArray();
        var max = p.Max();
        var sum = p.Sum(x => Math.Exp(x - max));
        return [.. p.Select(x => Math.Exp(x - max) / sum)];
    }
}
