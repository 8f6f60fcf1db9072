// The specification's JavaScript program, as it prints it: filled in are only the base URL, the placeholders of the
// tenant and the project, the token, and how often it polls.
const { BASE_URL: baseUrl, TENANT_ID: tenantId, PROJECT_ID: projectId, TOKEN: token } = process.env;
const pollMilliseconds = Number(process.env.POLL_MILLISECONDS);

// 1. ジョブの追跡を開始
const trackJob = async (jobId) => {
// 初期ジョブ状態を取得
const progress = await getJobProgress(jobId);
console.log(`ジョブ追跡中: ${progress.jobName}`);
console.log(`現在の進捗: ${progress.overallProgress.percentage}%`);
// リアルタイムイベントを購読
await subscribeToJobEvents(jobId);
return progress;
};
// 2. 詳細なジョブ進捗を取得
const getJobProgress = async (jobId) => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/job/${jobId}/progress`, {
headers: {
'Authorization': `Bearer ${token}`
}
});
return await response.json();
};
// 3. リアルタイムジョブイベントに購読
const subscribeToJobEvents = async (jobId) => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/job/${jobId}/subscribe`, {
method: 'POST',
headers: {
'Content-Type': 'application/json',
'Authorization': `Bearer ${token}`
},
body: JSON.stringify({
subscriptionType: 'webhook',
webhookUrl: 'https://your-app.com/webhooks/job-events',
events: [
'stageStarted',
'stageCompleted',
'progressUpdate',
'error',
'warning',
'jobCompleted'
],
filters: {
minProgressIncrement: 10,
includeDebugEvents: false,
notifyOnErrors: true
}
})
});
const subscription = await response.json();
console.log(`ジョブイベントに購読: ${subscription.subscriptionId}`);
return subscription;
};
// 4. ジョブパフォーマンス指標を取得
const getJobMetrics = async (jobId) => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/job/${jobId}/metrics?interval=5m&includeHistory=true`, {
headers: {
'Authorization': `Bearer ${token}`
}
});
const metrics = await response.json();
console.log('パフォーマンス指標:');
console.log(` CPU 使用率: ${metrics.currentMetrics.resourceUtilization.cpu.usage}%`);
console.log(` メモリ使用量: ${metrics.currentMetrics.resourceUtilization.memory.used}`);
console.log(` 処理速度: ${metrics.currentMetrics.processing.recordsPerSecond} 件/秒`);
return metrics;
};
// 5. ジョブ実行ログを取得
const getJobLogs = async (jobId, level = 'INFO') => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/job/${jobId}/logs?level=${level}&limit=100`, {
headers: {
'Authorization': `Bearer ${token}`
}
});
const logs = await response.json();
console.log(`ログエントリ数: ${logs.logs.length}`);
// 重要な最近のログを表示
logs.logs.filter(log => log.level !== 'DEBUG').forEach(log => {
console.log(`[${log.timestamp}] ${log.level}: ${log.message}`);
});
return logs;
};
// 6. ダッシュボードで複数ジョブを追跡
const trackMultipleJobs = async (jobIds) => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/tracking/batch?jobIds=${jobIds.join(',')}&includeMetrics=true`, {
headers: {
'Authorization': `Bearer ${token}`
}
});
const tracking = await response.json();
console.log(`${tracking.jobCount} 件のジョブを追跡中:`);
tracking.jobs.forEach(job => {
console.log(` ${job.jobName}: ${job.status} (${job.progress}%)`);
});
return tracking;
};
// 7. ジョブタイムラインを監視
const getJobTimeline = async (jobId) => {
const response = await fetch(`${baseUrl}/api/${tenantId}/${projectId}/execution/job/${jobId}/timeline?includeSubEvents=true&granularity=minutes`, {
headers: {
'Authorization': `Bearer ${token}`
}
});
const timeline = await response.json();
console.log('ジョブタイムライン:');
timeline.timeline.forEach(event => {
console.log(`[${event.timestamp}] ${event.eventType}: ${event.description}`);
});
return timeline;
};
// 包括的な追跡ワークフローを実行
const runTrackingWorkflow = async (jobId) => {
try {
console.log('包括的なジョブ追跡を開始します...');
// ジョブ進捗を追跡
const progress = await trackJob(jobId);
// パフォーマンス指標を取得
const metrics = await getJobMetrics(jobId);
// 実行ログを取得
const logs = await getJobLogs(jobId, 'WARN');
// タイムラインを取得
const timeline = await getJobTimeline(jobId);
// 完了まで監視
const monitoring = setInterval(async () => {
const currentProgress = await getJobProgress(jobId);
if (currentProgress.status === 'Completed') {
console.log('ジョブが正常に完了しました!');
clearInterval(monitoring);
// 最終指標取得
const finalMetrics = await getJobMetrics(jobId);
console.log(`最終効率: ${finalMetrics.performanceTrends.overallEfficiency}`);
} else if (currentProgress.status === 'Failed') {
console.log('ジョブが失敗しました!');
clearInterval(monitoring);
// エラーログを取得
const errorLogs = await getJobLogs(jobId, 'ERROR');
console.log('エラー詳細:', errorLogs.logs);
} else {
console.log(`進捗更新: ${currentProgress.overallProgress.percentage}%`);
}
}, pollMilliseconds); // 30秒毎に確認
} catch (error) {
console.error('追跡ワークフローが失敗しました:', error);
}
};
// 追跡開始
runTrackingWorkflow('cc0e8400-e29b-41d4-a716-446655440000');
