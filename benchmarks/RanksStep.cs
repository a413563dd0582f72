using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Distributed;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Training;

namespace SafeLlama.Benchmarks;

/// <summary>One rank's part of training steps; rank 0 prints a line of JSON. Also runs alone.</summary>
internal static class RanksStep
{
    public static Command Create()
    {
        var config = CommandOptions.One("--config", "small", "tiny, small or gqa");
        var threads = CommandOptions.One("--threads", 1, "of each rank");
        var microBatches = CommandOptions.One("--micro-batches", 4, "of one sequence each, in a step");
        var steps = CommandOptions.One("--steps", 5, "measured steps, after one that is not");
        var command = new Command("ranks-step", "steps of one rank of many, as mpirun starts it; used by ranks")
        {
            config, threads, microBatches, steps,
        };
        command.SetAction(parsed => Run(
            ModelShapes.ByName(parsed.GetValue(config)!), parsed.GetValue(threads), parsed.GetValue(microBatches),
            parsed.GetValue(steps)));
        return command;
    }

    private static void Run(ModelShape shape, int threads, int microBatches, int steps)
    {
        using var ranks = Ranks.Join(Console.Error.WriteLine);
        using var backend = new CpuBackend(threads);
        using var weights = LlamaWeights.Load(backend, shape.Config, RandomModel.Folder(shape, DType.Float32));
        var lora = new LoraConfig { Rank = StepBenchmark.Rank, Targets = LoraConfig.ParseTargets("q_proj,v_proj") };
        using var adapter = LoraAdapter.Create(backend, weights, lora, seed: 1);
        using var model = new Llama(backend, weights, adapter, shape.Length);
        using var workspace = new Workspace(model, shape.Length, forBackward: true);
        var schedule = new LearningRateSchedule(ScheduleShape.Constant, 1e-3, 0, steps + 1);
        using var trainer = new Trainer(model, workspace, new TrainerSettings(schedule), microBatches, ranks);
        PackedBatch[] batch = [.. Enumerable.Range(0, microBatches).Select(m => Sequence(shape, m))];
        trainer.Step(batch);
        var (whole, messages) = (new List<double>(), new List<double>());
        for (var i = 0; i < steps; i++)
        {
            ranks.Barrier();
            var start = Stopwatch.GetTimestamp();
            trainer.Accumulate(batch);
            // Waiting for a slower rank is no message: the others arrive first.
            ranks.Barrier();
            var sum = Stopwatch.GetTimestamp();
            trainer.SumGradients(stop: false);
            messages.Add(Stopwatch.GetElapsedTime(sum).TotalSeconds);
            trainer.Update();
            trainer.Report();
            whole.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var (latency, bandwidth) = ranks.Size > 1 ? PingPong(ranks) : (0, 0);
        if (ranks.IsFirst())
        {
            Console.WriteLine(JsonSerializer.Serialize(new RanksResult(
                ranks.Size, threads, Median(whole), Median(messages), adapter.GradientBytes, latency, bandwidth),
                Json.Line));
        }
    }

    /// <summary>Half of there and back: of 8 bytes, and of 16 MB.</summary>
    private static (double Latency, double Bandwidth) PingPong(ICommunicator ranks)
    {
        const int Large = 1 << 24;
        double Trip(int bytes, int times)
        {
            var data = new byte[bytes];
            var samples = new List<double>();
            for (var i = 0; i < times && ranks.Rank < 2; i++)
            {
                var start = Stopwatch.GetTimestamp();
                if (ranks.Rank == 0)
                {
                    ranks.Send(1, data);
                    ranks.Receive(1, data);
                }
                else
                {
                    ranks.Receive(0, data);
                    ranks.Send(0, data);
                }

                samples.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / 2);
            }

            ranks.Barrier();
            return ranks.Rank < 2 ? Median(samples) : 0;
        }

        var latency = Trip(sizeof(double), 200);
        return (latency, Large / Trip(Large, 20));
    }

    private static PackedBatch Sequence(ModelShape shape, int number)
    {
        var stream = Philox.Stream(1, "tokens");
        int[] drawn = [.. Enumerable.Range(0, shape.Length + 1).Select(t =>
            stream.Below((number * (shape.Length + 1L)) + t, shape.Config.VocabularySize))];
        return PackedBatch.Of([new TokenizedExample($"{number}", default!, drawn[..^1], drawn[1..], shape.Length)]);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}

/// <summary>What ranks measured.</summary>
/// <param name="StepSeconds">The median step.</param>
/// <param name="SumSeconds">Its sum over ranks: packing, messages, additions, broadcast.</param>
/// <param name="GradientBytes">What one message holds.</param>
/// <param name="Latency">Seconds of a small message, one way.</param>
/// <param name="Bandwidth">Bytes a second of a large one.</param>
internal sealed record RanksResult(
    int Ranks, int Threads, double StepSeconds, double SumSeconds, long GradientBytes, double Latency,
    double Bandwidth);
