using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Testing;

namespace SafeLlama.Model.Tests.Parity;

/// <summary>Greedy answers of prompts of different lengths, token for token, with and without an end token.</summary>
internal static class GenerationParity
{
    public static void Check(IBackend backend, ReferenceCase reference)
    {
        var config = LlamaConfig.Load(reference.ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, reference.ModelFolder);
        var (ids, mask, shape) =
            (reference.Ints("input_ids"), reference.Ints("attention_mask"), reference.ShapeOf("input_ids"));
        var prompts = Enumerable.Range(0, shape[0])
            .Select(b => Enumerable.Range(b * shape[1],
                shape[1]).Where(i => mask[i] == 1).Select(i => ids[i]).ToArray()).ToList();
        var length = (int)reference.Number("max_new_tokens");
        using var model = new Llama(backend, weights, adapter: null, shape[1] + length);
        var greedy = new DecodingConfig { MaxNewTokens = length, EosIds = Eos(reference.Field("eos_token_id")) };
        var pad = (int)reference.Number("pad_token_id");
        var eos = greedy with { EosIds = Eos(reference.Field("eos_case").GetProperty("eos_token_id")) };
        var answers = new Generator(model, greedy).Generate(prompts);
        var ended = new Generator(model, eos).Generate(prompts);
        CheckAnswers(reference, "generated", answers, pad);
        CheckAnswers(reference, "generated_with_eos", ended, pad);
        CheckEnds(reference, answers, ended, eos.EosIds);
        CheckLogits(reference, model, prompts, answers);

        // The smallest gap between the best two logits says that a wrong id could not hide behind rounding.
        reference.Compare(
            "top1_minus_top2 (smallest)", reference.Doubles("top1_minus_top2").Min(),
            reference.Number("min_top1_top2_margin"), 1e-6);
        reference.Skip("position_ids", "distinct_tokens_min");
        reference.MustBeReadWhole();
    }

    private static int[] Eos(System.Text.Json.JsonElement field) =>
        field.ValueKind == System.Text.Json.JsonValueKind.Number ? [field.GetInt32()] : [];

    /// <summary>
    /// Every token; in bf16 those until two logits first are so close that rounding may change which is larger.
    /// </summary>
    private static void CheckAnswers(ReferenceCase reference, string tensor, IReadOnlyList<Generation> answers, int pad)
    {
        var (expected, columns) = (reference.Doubles(tensor), reference.ShapeOf(tensor)[1]);
        var gaps = reference.Doubles("top1_minus_top2");
        for (var b = 0; b < answers.Count; b++)
        {
            var padded = answers[b].Tokens.Concat(Enumerable.Repeat(pad, columns)).Take(columns).Select(t => (double)t)
                .ToArray();
            var sure = gaps.Skip(b * columns).Take(columns).TakeWhile(gap => IsSure(reference, gap)).Count();
            reference.Compare(
                $"{tensor}, row {b}", padded.AsSpan(0, sure), expected.AsSpan(b * columns, sure), 0);
        }
    }

    /// <summary>An answer with an end token is the same answer, cut behind the first of them.</summary>
    private static void CheckEnds(
        ReferenceCase reference, IReadOnlyList<Generation> answers, IReadOnlyList<Generation> ended,
        IReadOnlyList<int> eos)
    {
        foreach (var (whole, cut) in answers.Zip(ended))
        {
            double[] found = [.. cut.Tokens.Where(t => !eos.Contains(t))];
            reference.Compare(
                "answer with an end", found, [.. whole.Tokens.TakeWhile(t => !eos.Contains(t))], 0);
        }
    }

    /// <summary>Whether the better of two logits stays so when each is off by as much as is tolerated.</summary>
    private static bool IsSure(ReferenceCase reference, double gap) =>
        !reference.IsRounded || gap > 2 * reference.Tolerance("logits_atol");

    /// <summary>
    /// Without a cache: the whole text at once gives the logits that generation saw token by token. Where it is sure
    /// the token that was expected is the best, and everywhere the one that was chosen is close to the best.
    /// </summary>
    private static void CheckLogits(
        ReferenceCase reference, Llama model, List<int[]> prompts, IReadOnlyList<Generation> answers)
    {
        var (expected, shape) = (reference.Doubles("step_logits_first3"), reference.ShapeOf("step_logits_first3"));
        var (generated, columns) = (reference.Ints("generated"), reference.ShapeOf("generated")[1]);
        var gaps = reference.Doubles("top1_minus_top2");
        var (sure, vocabulary) = (0, shape[2]);
        var atol = reference.Tolerance("logits_atol");
        using var workspace = new Workspace(model, prompts.Max(p => p.Length) + columns, forBackward: false);
        for (var b = 0; b < prompts.Count; b++)
        {
            var text = generated.AsSpan(b * columns, columns).ToArray();
            var logits = LogitsOf(model, workspace, prompts[b], text);
            for (var step = 0; step < columns; step++)
            {
                var found = logits.AsSpan(step * vocabulary, vocabulary);
                if (step < shape[1])
                {
                    var place = ((b * shape[1]) + step) * vocabulary;
                    reference.Compare(
                        $"step_logits[{b},{step}]", found, expected.AsSpan(place, vocabulary), atol);
                }

                if (IsSure(reference, gaps[(b * columns) + step]))
                {
                    sure++;
                    var best = found.IndexOf(found.ToArray().Max());
                    reference.Compare($"best of step_logits[{b},{step}]", best, text[step], 0);
                }
            }

            int[] chosen = [.. answers[b].Tokens];
            logits = LogitsOf(model, workspace, prompts[b], chosen);
            for (var step = 0; step < chosen.Length; step++)
            {
                var found = logits.AsSpan(step * vocabulary, vocabulary);
                reference.Compare(
                    $"chosen[{b},{step}]", found[chosen[step]], found.ToArray().Max(), 2 * atol);
            }
        }

        Assert.That(sure, Is.AtLeast(gaps.Length / 4), "tokens that rounding cannot change");
    }

    /// <summary>The logits that each token of an answer was chosen from.</summary>
    private static double[] LogitsOf(Llama model, Workspace workspace, int[] prompt, int[] answer)
    {
        int[] text = [.. prompt, .. answer];
        var pass = workspace.For(text.Length);
        pass.Batch.Upload(text, [.. Enumerable.Range(0, text.Length)], new int[text.Length], new int[text.Length]);
        model.Forward(pass);
        return ForwardParity.Logits(model, pass, [.. Enumerable.Range(prompt.Length - 1, answer.Length)]);
    }
}
