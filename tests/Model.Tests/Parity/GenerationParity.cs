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
        var greedy = new GenerationConfig { MaxNewTokens = length, EosIds = Eos(reference.Field("eos_token_id")) };
        var pad = (int)reference.Number("pad_token_id");
        CheckAnswers(reference, "generated", new Generator(model, greedy).Generate(prompts), pad);
        CheckFirstLogits(reference, model, prompts);
        var eos = greedy with { EosIds = Eos(reference.Field("eos_case").GetProperty("eos_token_id")) };
        CheckAnswers(reference, "generated_with_eos", new Generator(model, eos).Generate(prompts), pad);

        // The smallest gap between the best two logits says that a wrong id could not hide behind rounding.
        reference.Compare(
            "top1_minus_top2 (smallest)", reference.Doubles("top1_minus_top2").Min(),
            reference.Number("min_top1_top2_margin"), 1e-6);
        reference.Skip("position_ids", "distinct_tokens_min");
        reference.MustBeReadWhole();
    }

    private static int[] Eos(System.Text.Json.JsonElement field) =>
        field.ValueKind == System.Text.Json.JsonValueKind.Number ? [field.GetInt32()] : [];

    private static void CheckAnswers(ReferenceCase reference, string tensor, IReadOnlyList<Generation> answers, int pad)
    {
        var (expected, columns) = (reference.Doubles(tensor), reference.ShapeOf(tensor)[1]);
        for (var b = 0; b < answers.Count; b++)
        {
            var padded = answers[b].Tokens.Concat(Enumerable.Repeat(pad, columns)).Take(columns).Select(t => (double)t)
                .ToArray();
            reference.Compare($"{tensor}, row {b}", padded, expected.AsSpan(b * columns, columns), 0);
        }
    }

    private static void CheckFirstLogits(ReferenceCase reference, Llama model, List<int[]> prompts)
    {
        var (expected, shape) = (reference.Doubles("step_logits_first3"), reference.ShapeOf("step_logits_first3"));
        var (generated, columns) = (reference.Ints("generated"), reference.ShapeOf("generated")[1]);
        using var workspace = new Workspace(model, prompts.Max(p => p.Length) + shape[1], forBackward: false);
        for (var b = 0; b < prompts.Count; b++)
        {
            // Without a cache: the whole text at once gives the logits that generation saw token by token.
            var text = prompts[b].Concat(generated.AsSpan(b * columns, shape[1]).ToArray()).ToArray();
            var pass = workspace.For(text.Length);
            pass.Batch.Upload(text, [.. Enumerable.Range(0, text.Length)], new int[text.Length], new int[text.Length]);
            model.Forward(pass);
            for (var step = 0; step < shape[1]; step++)
            {
                var logits = ForwardParity.Logits(model, pass, prompts[b].Length - 1 + step);
                var place = ((b * shape[1]) + step) * shape[2];
                reference.Compare(
                    $"step_logits[{b},{step}]", logits, expected.AsSpan(place, shape[2]),
                    reference.Tolerance("logits_atol"));
            }
        }
    }
}
