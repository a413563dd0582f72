using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Lab;

/// <summary>Takes one optimizer step and tells what forward, backward and AdamW did.</summary>
internal static class StepInNumbers
{
    /// <param name="module">The linear of the two weights that are followed.</param>
    public static StepNumbers Take(
        Trainer trainer, LoraAdapter adapter, string module, IReadOnlyList<PackedBatch> batches, TrainingConfig config)
    {
        trainer.Accumulate(batches);
        trainer.SumGradients(stop: false);
        var norms = adapter.Pairs.Select(p => new ModuleNorms(
            p.Module, Norm(p.A.Value), Norm(p.B.Value), Norm(p.A.Gradient), Norm(p.B.Gradient))).ToList();
        var pair = adapter.Find(module)!;
        var (a, b) = (Followed.Of("A[0, 0]", pair.A, trainer), Followed.Of("B[0, 0]", pair.B, trainer));
        trainer.Update();
        var report = trainer.Report();
        var clip = config.MaxGradNorm > 0 ? Math.Min(1, config.MaxGradNorm / (report.GradientNorm + 1e-6)) : 1;
        return new(
            report.Step,
            $"{batches.Sum(x => x.Examples.Count)} rows, {report.TokenCount} tokens, {report.TargetCount} learned",
            report.Loss, report.GradientNorm, clip, report.LearningRate, norms)
        {
            Module = module,
            Weights = [a.After(config.Optimizer, report, clip), b.After(config.Optimizer, report, clip)],
        };
    }

    private static double Norm(Tensor tensor) => Math.Sqrt(tensor.ReadDoubles().Sum(x => x * x));

    /// <summary>The first weight of a parameter before a step.</summary>
    private sealed record Followed(string Name, Parameter Parameter, double Value, double Gradient, double M, double V)
    {
        public static Followed Of(string name, Parameter parameter, Trainer trainer)
        {
            var moments = trainer.Moments.First(m => ReferenceEquals(m.Parameter.Value, parameter.Value));
            return new(name, parameter, First(parameter.Value), First(parameter.Gradient), First(moments.First),
                First(moments.Second));
        }

        /// <summary>The equation of <see cref="AdamW"/> in fp64, beside what the engine made of the weight.</summary>
        public WeightStep After(AdamWSettings settings, StepReport report, double clip)
        {
            var g = clip * Gradient;
            var m = settings.Beta1 * M + (1 - settings.Beta1) * g;
            var v = settings.Beta2 * V + (1 - settings.Beta2) * g * g;
            var mean = m / (1 - Math.Pow(settings.Beta1, report.Step));
            var spread = Math.Sqrt(v / (1 - Math.Pow(settings.Beta2, report.Step)));
            var update = -report.LearningRate * mean / (spread + settings.Epsilon);
            var decayed = Value * (1 - report.LearningRate * (Parameter.Decays ? settings.WeightDecay : 0));
            return new(Name, Value, Gradient, m, v, update, decayed + update, First(Parameter.Value));
        }

        private static double First(Tensor tensor) => tensor.ReadDoubles()[0];
    }
}
